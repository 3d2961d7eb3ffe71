import { describe, expect, test } from 'vitest'
import { bar, dateOfDays, milliseconds, percent, quantile, wrapped } from '../../../../dev/demo/format.ts'

describe('formatted figures', () => {
  test('a share of an empty total is shown as a dash', () => {
    expect([percent(1, 8), percent(0, 0)]).toEqual(['12.5 %', '-'])
  })

  test('times switch to seconds if milliseconds would be hard to read', () => {
    expect([milliseconds(46.4), milliseconds(1240), milliseconds(null)]).toEqual(['46 ms', '1.2 s', '-'])
  })

  test('a quantile is one of the measured values', () => {
    const values = [30, 10, 20, 40]
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile([], 0.5)]).toEqual([20, 40, null])
  })

  test('days since 1970 are formatted as a date', () => {
    expect([dateOfDays(0), dateOfDays(-1)]).toEqual(['1970-01-01', '1969-12-31'])
  })
})

describe('a progress bar', () => {
  test('fills with the share and never exceeds its width', () => {
    expect([bar(1, 4, 8), bar(5, 4, 4), bar(0, 0, 3)]).toEqual(['██░░░░░░', '████', '░░░'])
  })
})

describe('line wrapping', () => {
  test('fills each line and puts a long part on a separate line', () => {
    expect(wrapped(['a', 'b', 'much too long', 'c'], ', ', 6)).toEqual(['a, b', 'much too long', 'c'])
  })

  test('returns no lines for no parts', () => {
    expect(wrapped([], ', ', 6)).toEqual([])
  })
})
