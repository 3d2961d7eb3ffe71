import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createProgram } from '../../../src/cli/program.ts'

afterEach(() => vi.unstubAllEnvs())

/** Runs a command whose settings keep it from connecting to anything. */
async function run(words: string, env: Readonly<Record<string, string>> = {}) {
  const before = process.exitCode
  onTestFinished(() => {
    process.exitCode = before
  })
  for (const [name, value] of Object.entries({ KAFKA_BROKERS: '', REDIS_URL: '', ...env })) {
    vi.stubEnv(name, value)
  }
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    await createProgram().parseAsync(words.split(' '), { from: 'user' })
    return { code: process.exitCode, err: stderr.mock.calls.map(([text]) => String(text)).join('') }
  } finally {
    stderr.mockRestore()
  }
}

const NOT_A_URL = { SCHEMA_REGISTRY_URL: 'not-a-url' }
const ONLY_BROKERS = /^KAFKA_BROKERS is not set\. .+\n$/

describe('settings of commands', () => {
  test.each(['quota show', 'quota set 5'])('%s without Redis ends with exit code 2', async (words) => {
    const { code, err } = await run(words)
    expect(code).toBe(2)
    expect(err).toMatch(/^CHECKRESULT_QUOTA is "partition"/)
  })

  test.each(['dlq list --limit 1', 'dlq stats', 'dlq redrive'])(
    '%s does not read those of the registry',
    async (words) => {
      const { code, err } = await run(words, NOT_A_URL)
      expect(code).toBe(2)
      expect(err).toMatch(ONLY_BROKERS)
    },
  )

  test.each(['dlq list --transaction-id a', 'dlq list --show-transaction-ids', 'dlq show 0:1'])(
    '%s reads those of the registry, because it reads events',
    async (words) => {
      expect((await run(words, NOT_A_URL)).err).toMatch(/^KAFKA_BROKERS .+\nSCHEMA_REGISTRY_URL .+\n$/)
    },
  )

  test.each(['dlq stats', 'dlq list', 'topics create --partitions 1 --replication-factor 1'])(
    '%s does not read those of the consumer',
    async (words) => {
      const env = { KAFKA_DELIVERY: 'bogus', DEFER_MAX_AGE: '5', KAFKA_SESSION_TIMEOUT_MS: '10000' }
      expect((await run(words, env)).err).toMatch(ONLY_BROKERS)
    },
  )
})
