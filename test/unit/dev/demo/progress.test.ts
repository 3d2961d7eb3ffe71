import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { line, picture, type Moment } from '../../../../dev/demo/progress.ts'

const moment: Moment = {
  planned: 400,
  sent: 200,
  seconds: 5.2,
  qps: 50,
  figures: {
    results: 90,
    passed: 72,
    riskChecked: 80,
    risky: 4,
    deadLetters: 10,
    deferred: 7,
    report: {
      calls: 120,
      callsByCode: {},
      transactionsByCalls: {},
      callsInTheLastSecond: 44,
      maxCallsInASecond: 46,
      maxAdmittedInASecond: 46,
    },
  },
}

test('without a terminal, progress is one line with all figures', () => {
  expect(line(moment)).toBe(
    '  5 s  sent 200, results 90, dead letters 10, deferrals 7, pass rate 80.0 %, risk rate 5.0 %, calls/s 44 of 50',
  )
})

test('on a terminal, progress is a bar and a table that fit into 80 columns', () => {
  const lines = stripVTControlCharacters(picture(moment)).split('\n')
  expect(lines[0]).toMatch(/^█{11}░{35} {2}100 of 400 settled, 5 s$/)
  expect(lines[4]).toMatch(/200 .* 90 .* 10 .* 7 .* 80\.0 % .* 5\.0 % .* 44 of 50/)
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
})
