import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { parseOptions } from '../../../../dev/bench/options.ts'

const BENCH = fileURLToPath(new URL('../../../../dev/bench.ts', import.meta.url))

test('by default, both programs are measured at 8 partitions, and nothing is saved', () => {
  expect(parseOptions([])).toEqual({
    partitions: [8],
    backlog: 50_000,
    runs: 3,
    perSecond: 200,
    seconds: 5,
    upstream: 'lean',
    contenders: ['service', 'hand-rolled'],
    delivery: 'exactly-once',
    save: false,
  })
})

test('--partitions takes several numbers, in the given order', () => {
  expect(parseOptions(['--partitions', '256,8,64']).partitions).toEqual([256, 8, 64])
})

test('--contender selects one program', () => {
  expect(parseOptions(['--contender', 'hand-rolled']).contenders).toEqual(['hand-rolled'])
  const simulator = parseOptions(['--contender', 'service', '--upstream', 'simulator'])
  expect(simulator).toMatchObject({ contenders: ['service'], upstream: 'simulator' })
})

test.each([
  [
    ['--partitions', '8,,64'],
    "option '--partitions <N,N,...>' argument '8,,64' is invalid. Expected an integer >= 1.",
  ],
  [
    ['--partitions', '0'],
    "option '--partitions <N,N,...>' argument '0' is invalid. Expected an integer >= 1.",
  ],
  [['--upstream', 'simulator'], 'which are not signed. Add --contender service.'],
])('%j is rejected before anything starts', async (args, message) => {
  await expect(promisify(execFile)(process.execPath, [BENCH, ...args])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(message) as unknown,
  })
})
