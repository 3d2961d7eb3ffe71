import { expect, test } from 'vitest'
import { figuresOf } from '../../../../dev/demo/figures.ts'

const report = {
  calls: 9,
  callsByCode: {},
  transactionsByCalls: {},
  callsInTheLastSecond: 4,
  maxCallsInASecond: 5,
  maxAdmittedInASecond: 5,
}

test('figures are summed over all series of a metric', () => {
  const metrics = [
    'checkresult_results_total{verdict="PASSED",sub_code="200",family="PASSPORT"} 3',
    'checkresult_results_total{verdict="PASSED",sub_code="200",family="NONE"} 1',
    'checkresult_results_total{verdict="FAILED",sub_code="212",family="PASSPORT"} 2',
    'checkresult_risk_checks_total{result="risky"} 2',
    'checkresult_risk_checks_total{result="clean"} 3',
    'checkresult_risk_checks_total{result="absent"} 1',
    'checkresult_dead_letters_total{reason="rejected"} 4',
    'checkresult_deferred_total{reason="pending"} 5',
  ].join('\n')
  expect(figuresOf(metrics, report)).toEqual({
    results: 6,
    passed: 4,
    riskChecked: 5,
    risky: 2,
    deadLetters: 4,
    deferred: 5,
    report,
  })
})
