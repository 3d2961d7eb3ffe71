/** Plays every selected case on one stack, one after the other. The arguments of `npm run test:quota` select them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis, type LocalRedis } from '../../dev/stack/redis.ts'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { seeded } from '../support/random.ts'
import { chosen } from './cases.ts'
import { readOptions } from './options.ts'
import { playCase } from './play.ts'
import type { Figures } from './promises.ts'
import { keepFigures, printTable, saveFigures } from './report.ts'

const options = readOptions(process.env)
const random = seeded(options.seed)
const played: Figures[] = []
const cases = chosen(options)
let passed = 0
let stack: Stack
let redis: LocalRedis | null = null

beforeAll(async () => {
  stack = await startStack()
  if (cases.some(({ mode }) => mode === 'redis')) redis = await startRedis()
})

afterAll(async () => {
  await redis?.stop()
  await stack?.stop()
  printTable(played, options)
  if (options.save && passed === cases.length) await saveFigures(played, options)
})

describe('at most N calls in any second, and nearly N while work waits', () => {
  test.for(cases)('$name', async (one) => {
    const figures = await playCase(one, {
      stack,
      redis,
      random,
      slack: options.slack,
      logsDir: options.logs,
    })
    played.push(figures)
    keepFigures(played, options)
    expect(figures.broken).toEqual([])
    passed += 1
  })
})
