import { expect, test } from 'vitest'
import { CallLog } from '../../../simulator/report.ts'

test('the report is empty without calls', () => {
  expect(new CallLog().report(0)).toEqual({
    calls: 0,
    callsByCode: {},
    transactionsByCalls: {},
    callsInTheLastSecond: 0,
    maxCallsInASecond: 0,
    maxAdmittedInASecond: 0,
  })
})

test('calls are counted by code, transaction and second, and throttled ones separately', () => {
  const log = new CallLog()
  for (const time of [0, 10, 20]) log.arrived(time)
  log.admitted(0)
  log.admitted(10)
  expect([log.called('a'), log.called('b'), log.called('a')]).toEqual([1, 1, 2])
  for (const code of ['Success', 'Success', 'Throttling.Api']) log.answered(code)
  expect(log.report(1_005)).toEqual({
    calls: 3,
    callsByCode: { Success: 2, 'Throttling.Api': 1 },
    transactionsByCalls: { 1: 1, 2: 1 },
    callsInTheLastSecond: 2,
    maxCallsInASecond: 3,
    maxAdmittedInASecond: 2,
  })
})

test('the calls of a transaction are found by its id', () => {
  const log = new CallLog()
  log.called('a')
  log.called('a')
  expect([log.callsOf('a'), log.callsOf('b')]).toEqual([2, 0])
})
