import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  monthOf,
  parseDate,
  parseIssueDate,
  parseMonth,
  parseSex,
  parseYesNo,
  wellFormed,
} from '../../../../src/core/normalize/values.ts'
import { days } from '../../../support/answers.ts'

const ANY = { dayFirst: false }
const HONG_KONG = { dayFirst: true }

const calendarDays = fc.integer({ min: days('1850-01-01'), max: days('2200-12-31') })

/** Year, month and day as used in the date formats. */
function partsOf(day: number): { y: string; m: string; d: string } {
  const [y = '', m = '', d = ''] = new Date(day * 86_400_000).toISOString().slice(0, 10).split('-')
  return { y, m, d }
}

describe('a date', () => {
  test.each([
    ['2013-01-02', '2013-01-02'],
    ['2032/02/10', '2032-02-10'],
    ['2032.02.10', '2032-02-10'],
    ['1990年06月02日', '1990-06-02'],
    ['1990年6月2日', '1990-06-02'],
    ['1990 年 6 月 2 日', '1990-06-02'],
    ['20010213', '2001-02-13'],
    ['20450523', '2045-05-23'],
    ['1969-12-31', '1969-12-31'],
    ['2000-02-29', '2000-02-29'],
  ])('%s is read as %s for every document', (text, date) => {
    expect(parseDate(text, ANY)).toBe(days(date))
    expect(parseDate(text, HONG_KONG)).toBe(days(date))
  })

  test.each([
    ['01-02-1990', '1990-02-01'],
    ['1/2/1990', '1990-02-01'],
    ['1.2.1990', '1990-02-01'],
    ['31-12-2001', '2001-12-31'],
  ])('%s is read as %s on a Hong Kong card and is ambiguous on others', (text, date) => {
    expect(parseDate(text, HONG_KONG)).toBe(days(date))
    expect(parseDate(text, ANY)).toBeNull()
  })

  test.each([
    '',
    '长期',
    '2013-02-30',
    '2001-02-29',
    '2013-13-01',
    '2013-00-10',
    '2013-01-00',
    '0000-01-01',
    '1849-12-31',
    '2201-01-01',
    '9999-12-31',
    '31-13-2001',
    '01-02-90',
    '2013-01/02',
    '2013-01-02T00:00:00Z',
    ' 2013-01-02',
    '2013-01-02\n',
    '2 Jan 2013',
    '２０１３-01-02',
    '130102',
    '02012013',
    '0',
  ])('%j is not a valid date', (text) => {
    expect(parseDate(text, HONG_KONG)).toBeNull()
  })

  test('is read from every format in which it can be written', () => {
    fc.assert(
      fc.property(calendarDays, (day) => {
        const { y, m, d } = partsOf(day)
        const short = `${Number(m)}|${Number(d)}`.split('|')
        const yearFirst = [
          `${y}-${m}-${d}`,
          `${y}/${m}/${d}`,
          `${y}.${short[0]}.${short[1]}`,
          `${y}${m}${d}`,
          `${y}年${m}月${d}日`,
        ]
        for (const text of yearFirst) expect(parseDate(text, ANY)).toBe(day)
        for (const text of [`${d}-${m}-${y}`, `${d}/${m}/${y}`, `${short[1]}.${short[0]}.${y}`]) {
          expect(parseDate(text, HONG_KONG)).toBe(day)
        }
      }),
    )
  })

  test('is always a calendar day, from any text', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789-/.年月日 '), maxLength: 12 })
    fc.assert(
      fc.property(digits, (text) => {
        const day = parseIssueDate(text, HONG_KONG)
        if (day === null) return
        const { y, m, d } = partsOf(day)
        for (const part of [y.slice(2), m, d]) expect(text).toContain(String(Number(part)))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('an issue date with a two-digit year', () => {
  test('belongs to this century on a Hong Kong card', () => {
    expect(parseIssueDate('23-09-10', HONG_KONG)).toBe(days('2010-09-23'))
    expect(parseIssueDate('23-09-2010', HONG_KONG)).toBe(days('2010-09-23'))
  })

  test.each(['23-09-02', '23-09-49', '23-09-99', '30-02-10', '2010-23-09'])('is not read from %s', (text) => {
    expect(parseIssueDate(text, HONG_KONG)).toBeNull()
  })

  test('is not read for other documents', () => {
    expect(parseIssueDate('23-09-10', ANY)).toBeNull()
  })
})

describe('month and year', () => {
  test.each([
    ['(09-99)', '1999-09'],
    ['09-99', '1999-09'],
    ['(01-00)', '2000-01'],
    ['(12-48)', '2048-12'],
    ['(01-49)', '1949-01'],
    ['09-1999', '1999-09'],
    ['(09-1999)', '1999-09'],
    ['9/1999', '1999-09'],
    ['1999-09', '1999-09'],
    ['1999年9月', '1999-09'],
  ])('%s is read as %s on a Hong Kong card', (text, month) => {
    expect(parseMonth(text, HONG_KONG)).toBe(month)
  })

  test.each(['', '(13-99)', '(00-99)', '99-09-01', '1999-13', '0999', '(09-1700)', '长期'])(
    'are not read from %j',
    (text) => {
      expect(parseMonth(text, HONG_KONG)).toBeNull()
    },
  )

  test('are not read with a two-digit year for other documents', () => {
    expect(parseMonth('09-99', ANY)).toBeNull()
    expect(parseMonth('09-1999', ANY)).toBe('1999-09')
  })

  test('are read from every format in which they can be written', () => {
    fc.assert(
      fc.property(calendarDays, (day) => {
        const { y, m } = partsOf(day)
        for (const text of [`${y}-${m}`, `${y}年${m}月`, `(${m}-${y})`, `${m}/${y}`]) {
          expect(parseMonth(text, ANY)).toBe(monthOf(day))
        }
      }),
    )
  })
})

describe('sex', () => {
  test.each(['M', 'm', 'Male', 'MALE', '男', '男M', '男 M', '男/M'])('%s is read as male', (text) => {
    expect(parseSex(text)).toBe('MALE')
  })

  test.each(['F', 'f', 'Female', 'FEMALE', '女', '女F', '女 F', '女/F'])('%s is read as female', (text) => {
    expect(parseSex(text)).toBe('FEMALE')
  })

  test.each(['X', '<', 'M/F', '**', 'constructor', '__proto__'])('%s is read as neither', (text) => {
    expect(parseSex(text)).toBe('UNKNOWN')
  })
})

test('yes and no are a single letter', () => {
  expect(['Y', 'y', 'N', 'n', 'YES', '', '1'].map(parseYesNo)).toEqual([
    true,
    true,
    false,
    false,
    null,
    null,
    null,
  ])
})

test('lone surrogates are replaced so that the text has a UTF-8 form', () => {
  expect(wellFormed('a\ud800b')).toBe('a\ufffdb')
  expect(wellFormed('𠮷')).toBe('𠮷')
})
