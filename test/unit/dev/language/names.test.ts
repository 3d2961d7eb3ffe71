import { describe, expect, test } from 'vitest'
import { declaredNames, unknownNamesIn } from '../../../../dev/language/names.ts'

const declared = declaredNames([
  { path: 'src/a.ts', text: 'export const RESULT_PARTITIONS = 3\ninterface CheckResultAnswer {}' },
])
const unknownIn = (text: string, path = 'docs/some.md'): string[] =>
  unknownNamesIn({ path, text }, declared).map(({ message }) => message)

const ALLOW = 'If it belongs to another program, add it to OTHER_VARIABLES in dev/language/names.ts.'

describe('names that do not exist', () => {
  test.each([
    ['Set `KAFKA_BROKER_LIST`.', `no such setting: KAFKA_BROKER_LIST. ${ALLOW}`],
    ['All `KAFKA_SSL_*` settings', `no such setting: KAFKA_SSL_. ${ALLOW}`],
    ['DLQ_MAX_TRIES=3', `no such setting: DLQ_MAX_TRIES. ${ALLOW}`],
    ['`checkresult_calls_total` counts', 'no such metric: checkresult_calls_total'],
    ['all of checkresult_calls_*', 'no such metric: checkresult_calls_'],
    ['rate(checkresult_result_total[5m])', 'no such metric: checkresult_result_total'],
    [
      'checkresult_results_total{verdict="maybe",topic="x"}',
      'no such label value: checkresult_results_total{verdict="maybe"',
    ],
    ['checkresult:calls:rate5m', 'no such recorded series: checkresult:calls:rate5m'],
    ['CheckResultSomethingWrong fires', 'no such alert: CheckResultSomethingWrong'],
    ['dlq list --reason broken', 'no such dead-letter reason: broken'],
    ['npm run everything', 'no such npm script: everything'],
    ['see docs/nowhere.md', 'no such file or section: docs/nowhere.md'],
    ['see docs/runbook.md#checkresultnothing', 'no such file or section: docs/runbook.md#checkresultnothing'],
    ['see `src/nowhere.ts`', 'no such file or section: src/nowhere.ts'],
  ])('reports %s', (text, message) => {
    expect(unknownIn(text)).toEqual([message])
  })
})

test('accepts names that exist', () => {
  const text = `
    KAFKA_BROKERS, KAFKA_SASL_PASSWORD_FILE, KAFKA_SASL_OAUTH_*, RESULT_PARTITIONS, MESSAGE_TOO_LARGE,
    checkresult_results_total, checkresult_quota_wait_seconds_bucket, checkresult_quota_*,
    checkresult:consumer_lag_records:sum, CheckResultDown, CheckResultAnswer, CheckResult,
    dlq list --reason undecodable, npm run check, npm run -s test:unit,
    docs/runbook.md, docs/runbook.md#checkresultdown, src/main.ts, README.md`
  expect(unknownIn(text)).toEqual([])
})

test('accepts the error codes of Kafka', () => {
  expect(unknownIn('KAFKA_STORAGE_ERROR, LOG_DIR_NOT_FOUND, GROUP_ID_NOT_FOUND')).toEqual([])
})

test('accepts removed names in the changelog', () => {
  expect(unknownIn('DLQ_MAX_TRIES was renamed', 'CHANGELOG.md')).toEqual([])
})

test('reports the line of a hit', () => {
  expect(unknownNamesIn({ path: 'docs/a.md', text: 'One.\n\nnpm run nothing\n' }, declared)).toEqual([
    { path: 'docs/a.md', line: 3, message: 'no such npm script: nothing' },
  ])
})
