import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const DEMO = fileURLToPath(new URL('../../dev/demo.ts', import.meta.url))

test(
  'the demo runs on a separate stack, checks its outputs and exits with 0',
  { timeout: 120_000 },
  async () => {
    const demo = spawn(process.execPath, [DEMO, '--events', '60'], { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void demo.kill())
    const [stdout, stderr] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'close')])
    expect(stderr).toBe('')
    expect(stdout).toContain('each of the 60 events has exactly one output')
    expect(stdout).toContain('All checks passed.')
    expect(demo.exitCode).toBe(0)
  },
)
