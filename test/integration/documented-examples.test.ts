/** Checks the event, result and dead letter in README.md against those of the service. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import { logicalFields, withIsoTimes } from '../../src/cli/lookup/iso-times.ts'
import { decodeResult, type Coordinates } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The JSON block after this heading or label. */
function example(label: string): Record<string, unknown> {
  const at = README.indexOf(label)
  const block = /```json\n(.*?)```/s.exec(README.slice(at))?.[1]
  if (at < 0 || block === undefined) throw new Error(`README.md has no JSON block after "${label}".`)
  return JSON.parse(block) as Record<string, unknown>
}

const FIELDS = logicalFields(JSON.parse(schemaJson('verification-result')))
let run: Run

beforeAll(async () => {
  run = await startRun()
  await run.startReplica()
})

afterAll(async () => run.close())

async function send(event: Record<string, unknown>): Promise<Coordinates> {
  const sent = await run.send([{ key: String(event['transactionId']), value: JSON.stringify(event) }])
  await run.untilOut(sent)
  return sent[0] ?? ''
}

test('the event in README.md gives the result in README.md, except for times, ids and positions', async () => {
  await send(example('**Event**'))
  const [record] = run.results()
  if (record === undefined) throw new Error('There is no result.')
  const result = withoutNulls(
    JSON.parse(JSON.stringify(withIsoTimes(decodeResult(record), FIELDS))),
  ) as Record<string, unknown>
  const shown = example('**Result**')
  expect(String(record.key)).toBe(shown['transactionId'])
  const same = { requestId: '', checkedAt: '', source: {} }
  expect({ ...result, ...same }).toEqual({ ...shown, ...same })
  expect(Object.keys(result)).toEqual(Object.keys(shown))
})

test('the event of an unknown transaction gives the dead letter in README.md, except for times, ids and positions', async () => {
  const { value, headers } = example('**Dead letter**') as {
    value: Record<string, unknown>
    headers: Record<string, string>
  }
  await send(value)
  const [record] = run.deadLetters()
  if (record === undefined) throw new Error('There is no dead letter.')
  expect(JSON.parse(String(record.value))).toEqual(value)
  const found = Object.fromEntries(Object.entries(record.headers).map(([name, text]) => [name, String(text)]))
  for (const [name, text] of Object.entries(headers)) {
    const varies = /failed-at|topic|partition|offset/.test(name)
    expect([name, varies ? text : found[name]]).toEqual([name, text])
    expect(found).toHaveProperty([name])
  }
})

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(entries.map(([name, member]) => [name, withoutNulls(member)]))
}
