/**
 * Sends random records through a separate stack. The arguments of `npm run test:fuzz` set their number and the
 * delivery mode.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { readOptions } from './options.ts'
import { playFuzz } from './play.ts'
import { describe as report, keepFigures, NO_PROBLEMS } from './report.ts'
import { MAX_MEMORY_MB } from './service.ts'

const options = readOptions(process.env)
const OUTAGE_EVERY = 4_000
/** On a machine that is too slow to answer calls for longer than this, good events become dead letters. */
const MAX_AGE_S = 30
let stack: Stack

beforeAll(async () => {
  stack = await startStack()
})

afterAll(async () => stack?.stop())

test.for(options.deliveries)('%s: each random record comes out exactly once', async (delivery) => {
  const figures = await playFuzz({
    ...options,
    stack,
    delivery,
    only: options.only.length === 0 ? null : new Set(options.only),
    outageEvery: OUTAGE_EVERY,
    maxAgeS: MAX_AGE_S * options.slack,
    onProgress: (line) => process.stdout.write(`${delivery}: ${line}\n`),
    onLog: (text) => {
      if (options.logs === null) return
      mkdirSync(options.logs, { recursive: true })
      writeFileSync(join(options.logs, `fuzz-${delivery}.log`), text)
    },
  })
  keepFigures(figures)
  process.stdout.write(`\n${report(figures)}\n`)
  expect(figures.problemCount).toEqual(NO_PROBLEMS)
  expect(figures).toMatchObject({ isAlive: true, exitCode: 0 })
  expect(figures.peakMemoryMb).toBeLessThan(MAX_MEMORY_MB)
})
