import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createProgress } from '../../../../src/cli/dlq/progress.ts'
import { problemOf, redriveJson, reportText } from '../../../../src/cli/dlq/redrive.ts'
import { age, deadLetterJson, deadLetterTable } from '../../../../src/cli/dlq/render.ts'
import { selectionOf } from '../../../../src/cli/dlq/options.ts'
import {
  EVERY_DEAD_LETTER,
  type StoredDeadLetter,
} from '../../../../src/core/dead-letters/stored-dead-letter.ts'
import type { RedriveReport } from '../../../../src/pipeline/dead-letters/redrive-report.ts'

const DEAD_LETTER: StoredDeadLetter = {
  partition: 3,
  offset: 9_007_199_254_740_993n,
  reason: 'unavailable',
  code: 'HTTP 502',
  stage: 'defer',
  message: 'A message of ours.',
  service: 'checkresult-stream 0',
  attempts: 12,
  redrives: 1,
  failedAtMs: Date.UTC(2026, 0, 1),
  source: { topic: 'in', partition: 3, offset: 17n },
  leftOut: [],
}
const CONFIG = { deadLetters: { maxRedrives: 3 } }
const GROUP = { reason: 'unavailable', code: 'HTTP 502', sent: 2, stays: 3, refused: 0, incomplete: 0 }
const REPORT: RedriveReport = {
  end: { kind: 'done' },
  groups: [GROUP],
  staying: [DEAD_LETTER],
  unfit: [],
  foreign: { total: 0, topics: [], positions: [] },
  absent: [],
}

test.each([
  [-5, '0s'],
  [999, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [7_199_999, '1h'],
  [3 * 86_400_000, '3d'],
])('an age of %d ms is shown as %s', (ms, text) => {
  expect(age(ms)).toBe(text)
})

test('a table has a line for its head and for each dead letter, without frames, colors or trailing blanks', () => {
  const other = { ...DEAD_LETTER, source: null, redrives: 0 }
  expect(deadLetterTable([DEAD_LETTER, other], DEAD_LETTER.failedAtMs + 90_000).split('\n')).toEqual([
    'POSITION            REASON       CODE      AGE  ATTEMPTS  EARLIER REDRIVES  EVENT',
    '3:9007199254740993  unavailable  HTTP 502  1m   12        1                 in:3:17',
    '3:9007199254740993  unavailable  HTTP 502  1m   12        0                 unknown',
  ])
})

test('transaction ids are a column and a member only if they were read', () => {
  const read = [
    { ...DEAD_LETTER, transactionId: 'id1' },
    { ...DEAD_LETTER, transactionId: null },
  ]
  const [head, ...rows] = deadLetterTable(read, DEAD_LETTER.failedAtMs).split('\n')
  expect(head).toMatch(/EVENT +TRANSACTION$/)
  expect(rows.map((row) => row.split(/ +/).at(-1))).toEqual(['id1', 'unknown'])
  expect(read.map((one) => deadLetterJson(one)['transactionId'])).toEqual(['id1', null])
  expect(deadLetterJson(DEAD_LETTER)).not.toHaveProperty('transactionId')
})

test('JSON output has offsets as strings and times as ISO dates', () => {
  expect(deadLetterJson(DEAD_LETTER)).toEqual({
    position: '3:9007199254740993',
    reason: 'unavailable',
    code: 'HTTP 502',
    stage: 'defer',
    message: 'A message of ours.',
    failedAt: '2026-01-01T00:00:00.000Z',
    attempts: 12,
    redrives: 1,
    service: 'checkresult-stream 0',
    source: { topic: 'in', partition: 3, offset: '17' },
    leftOut: [],
  })
})

describe('the report of a redrive', () => {
  test('says after a dry run what would be redriven, what would not and why', () => {
    expect(reportText(REPORT, CONFIG, false).split('\n')).toEqual([
      'REASON       CODE      WOULD REDRIVE  MAX REDRIVES',
      'unavailable  HTTP 502  2              3',
      'Dry run: 2 dead letters would be redriven. Add --execute to redrive them.',
      '3 dead letters skipped, because DEAD_LETTER_MAX_REDRIVES allows 3 redrives of each: 3:9007199254740993 and 2 more.',
      '',
    ])
  })

  test('says after a dry run without dead letters that none matches', () => {
    const none = { ...REPORT, groups: [], staying: [] }
    expect(reportText(none, CONFIG, false)).toBe('Dry run: no waiting dead letter matches these filters.\n')
    const all = { ...REPORT, groups: [{ ...GROUP, sent: 0 }] }
    expect(reportText(all, CONFIG, false)).toContain('Dry run: 0 dead letters would be redriven.\n')
  })

  test('uses another JSON member for what a dry run would redrive', () => {
    const dry = JSON.parse(redriveJson(REPORT, false)) as unknown
    expect(dry).toMatchObject({
      executed: false,
      end: 'done',
      groups: [{ reason: 'unavailable', code: 'HTTP 502', wouldRedrive: 2, atLimit: 3 }],
      atLimit: ['3:9007199254740993'],
      cannotRedrive: [],
      notFound: [],
    })
    const executed = JSON.parse(redriveJson(REPORT, true)) as unknown
    expect(executed).toMatchObject({ executed: true, groups: [{ redriven: 2 }] })
    for (const text of [redriveJson(REPORT, false), reportText(REPORT, CONFIG, false)]) {
      expect(text).not.toMatch(/sent|"redriven"|dead letters? redriven/)
    }
  })

  test('says how many were redriven', () => {
    const one = { ...REPORT, groups: [{ ...GROUP, sent: 1, stays: 0 }], staying: [] }
    expect(reportText(one, CONFIG, true)).toContain('1 dead letter redriven.\n')
  })

  const UNFIT: RedriveReport = {
    ...REPORT,
    groups: [{ ...GROUP, stays: 0, refused: 1, incomplete: 30 }],
    staying: [],
    unfit: [
      { deadLetter: DEAD_LETTER, why: { kind: 'refused', code: 'MESSAGE_TOO_LARGE' } },
      {
        deadLetter: { ...DEAD_LETTER, offset: 5n },
        why: { kind: 'incomplete', leftOut: ['value', 'headers'] },
      },
    ],
  }

  test('names the dead letters that cannot be redriven, their events, and why', () => {
    expect(reportText(UNFIT, CONFIG, true).split('\n')).toEqual([
      'REASON       CODE      REDRIVEN  MAX REDRIVES  CANNOT REDRIVE',
      'unavailable  HTTP 502  2         0             31',
      '2 dead letters redriven.',
      '31 dead letters cannot be redriven:',
      '  3:9007199254740993  event in:3:17  MESSAGE_TOO_LARGE: the event is larger than max.message.bytes of the input topic',
      expect.stringMatching(/^ {2}3:5 {2}event in:3:17 {2}it lacks the event's value and headers: /),
      '  and 29 more',
      '',
    ])
    expect(problemOf(UNFIT, true)).toBe('1 dead letter could not be redriven. The report says why.')
  })

  test('names dead letters of other pipelines', () => {
    const foreign = { total: 3, topics: ['theirs'], positions: ['0:1', '0:2'] }
    const text = reportText({ ...REPORT, foreign }, CONFIG, true)
    expect(text).toContain(
      '3 dead letters of other pipelines ignored, because the events are not from KAFKA_INPUT_TOPIC or its retry topics (theirs): 0:1, 0:2 and 1 more.\n',
    )
  })

  test('names positions without a dead letter, but not after an early end', () => {
    const absent = { ...REPORT, absent: ['1:2'] }
    expect(reportText(absent, CONFIG, true)).toContain('No dead letter waits at 1:2')
    expect(reportText({ ...absent, end: { kind: 'interrupted' } }, CONFIG, true)).not.toContain('1:2')
  })

  test.each([
    [{ kind: 'done' }, null],
    [{ kind: 'interrupted' }, 'Interrupted. Run the command again to continue.'],
    [
      { kind: 'fenced' },
      'Another redrive of this dead-letter topic took over. Let it finish, or run the command again afterwards.',
    ],
    [
      { kind: 'failed', message: 'A message.' },
      'A message. What was redriven is recorded: run the command again to continue.',
    ],
  ] as const)('explains the end %j', (end, expected) => {
    expect(problemOf({ ...REPORT, end }, true)).toBe(expected)
  })
})

test('filters are converted to a selection, with ages relative to the current time', () => {
  expect(selectionOf({}, 1_000)).toEqual(EVERY_DEAD_LETTER)
  const filters = {
    reason: ['rejected'],
    code: ['A', 'B'],
    at: [{ partition: 1, offset: 2n }],
    olderThan: 300,
    newerThan: 900,
  }
  expect(selectionOf(filters, 1_000)).toEqual({
    reasons: new Set(['rejected']),
    codes: new Set(['A', 'B']),
    positions: new Set(['1:2']),
    failedBeforeMs: 700,
    failedAfterMs: 100,
  })
})

function stream(isTTY: boolean) {
  let text = ''
  const writable = new Writable({ write: (chunk, _, done) => ((text += String(chunk)), done()) })
  return { to: Object.assign(writable, { isTTY }) as unknown as NodeJS.WriteStream, text: () => text }
}

describe('the progress display', () => {
  test('prints a line every five seconds without a terminal', () => {
    const { to, text } = stream(false)
    let nowMs = 0
    const progress = createProgress(to, () => nowMs)
    for (nowMs = 1_000; nowMs <= 11_000; nowMs += 1_000) {
      progress.show({ read: nowMs, total: 20_000, note: `${nowMs / 1_000} redriven` })
    }
    progress.end()
    expect(text()).toBe('25 % read, 5 redriven\n50 % read, 10 redriven\n')
  })

  test('draws a bar on a terminal after a short time', () => {
    const { to, text } = stream(true)
    let nowMs = 0
    const progress = createProgress(to, () => nowMs)
    progress.show({ read: 1, total: 4, note: '' })
    expect(text()).toBe('')
    nowMs = 1_000
    progress.show({ read: 3, total: 4, note: '2 redriven' })
    progress.end()
    expect(text()).toMatch(/█+░+ 75 %  2 redriven/)
  })

  test.each([true, false])('prints nothing during a short run (terminal: %s)', (isTTY) => {
    const { to, text } = stream(isTTY)
    const progress = createProgress(to, () => 0)
    progress.show({ read: 1, total: 2, note: '' })
    progress.end()
    expect(text()).toBe('')
  })
})
