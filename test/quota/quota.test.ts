/** Every case on one stack, one after the other; the command (`npm run test:quota`) says which. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { seeded } from '../support/random.ts'
import { chosen } from './cases.ts'
import { readOptions } from './options.ts'
import { playCase } from './play.ts'
import type { Figures } from './promises.ts'
import { keepFigures, printTable } from './report.ts'

const options = readOptions(process.env)
const random = seeded(options.seed)
const played: Figures[] = []
let stack: Stack

beforeAll(async () => {
  stack = await startStack()
})

afterAll(async () => {
  await stack?.stop()
  printTable(played, options)
})

describe('no more calls than N in any second, and nearly as many while work waits', () => {
  test.for(chosen(options))('$name', async (one) => {
    const figures = await playCase(one, {
      stack,
      redis: null,
      random,
      slack: options.slack,
      logsDir: options.logs,
    })
    played.push(figures)
    keepFigures(played, options)
    expect(figures.broken).toEqual([])
  })
})
