import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { compressQuery, compressRules, secondsOf } from '../../chain/compress.ts'

const MINUTES_AS_SECONDS = { factor: 60, ageFactor: 10, scrapeSeconds: 0.25 }

test.each([
  ['sum(rate(events_total{a="5m"}[5m])) > 600', 'sum(rate(events_total{a="5m"}[5000ms])) > 600'],
  ['up offset 1h30m', 'up offset 90000ms'],
  ['up offset -1h', 'up offset -60000ms'],
  ['max_over_time(x:ratio_rate5m[6h:1m])', 'max_over_time(x:ratio_rate5m[360000ms:1000ms])'],
  ['rate(a[1m]) / rate(b[2m] offset 3m)', 'rate(a[1000ms]) / rate(b[2000ms] offset 3000ms)'],
  ['absent(up == 1)', 'absent(up == 1)'],
  ['time() - max by (job) (beat_seconds) > 60', 'time() - max by (job) (beat_seconds) > 6'],
  ['min by (job) (expiry > 0) - time() < 600', 'min by (job) (expiry > 0) - time() < 60'],
  ['a > 60 unless on (job) max(time() - b) > 120', 'a > 60 unless on (job) max(time() - b) > 12'],
  ['lag > 60 and x_age_seconds:max > 900', 'lag > 60 and x_age_seconds:max > 90'],
  ['max(checkresult_open_transaction_seconds) > 120', 'max(checkresult_open_transaction_seconds) > 12'],
])('the query %s becomes %s', (query, compressed) => {
  expect(compressQuery(query, MINUTES_AS_SECONDS)).toBe(compressed)
})

test('rejects a window that would contain fewer than four scrapes', () => {
  expect(() => compressQuery('rate(a[59s])', MINUTES_AS_SECONDS)).toThrow('too few scrapes: rate(a[59s])')
})

test('rejects invalid PromQL', () => {
  expect(() => compressQuery('rate(a[5m]', MINUTES_AS_SECONDS)).toThrow('Invalid PromQL')
})

test('divides "for" durations and intervals in a rule file and changes nothing else', () => {
  const rule = { alert: 'A', labels: { severity: 'critical' }, annotations: { summary: 'For 5m.' } }
  const record = { record: 'a:ratio_rate5m', expr: 'rate(a[5m])' }
  const before = {
    groups: [
      {
        name: 'g',
        interval: '1m',
        rules: [record, { ...rule, expr: 'x > 5', for: '10m', keep_firing_for: '5m' }],
      },
    ],
  }
  expect(parse(compressRules(JSON.stringify(before), MINUTES_AS_SECONDS))).toEqual({
    groups: [
      {
        name: 'g',
        interval: '1000ms',
        rules: [
          { ...record, expr: 'rate(a[5000ms])' },
          { ...rule, expr: 'x > 5', for: '10000ms', keep_firing_for: '5000ms' },
        ],
      },
    ],
  })
})

test.each([
  ['1d', 86_400],
  ['1h30m', 5_400],
  ['250ms', 0.25],
  ['90', 90],
])('%s is read as %d seconds', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds)
})

test('rejects an unknown time unit', () => {
  expect(() => secondsOf('5 min')).toThrow('5 min is not a duration.')
})
