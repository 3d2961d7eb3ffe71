import { expect, test } from 'vitest'
import { terminalJson } from '../../../src/cli/terminal-json.ts'

const CONTROLS = [
  '\u0000',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u00ad',
  '\u200b',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ufeff',
  '\u{e0001}',
]

test('escapes characters that a terminal obeys, in names and in values', () => {
  const value = { [CONTROLS.join('')]: ['a\nb', ...CONTROLS] }
  const text = terminalJson(value)

  expect(text.replaceAll('\n', '')).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]+$/u)
  expect(JSON.parse(text)).toEqual(value)
})

test('keeps everything else as JSON.stringify writes it', () => {
  const value = { name: 'Åse 陳 😀', list: [1, null, 'x\ty'] }
  expect(terminalJson(value)).toBe(JSON.stringify(value, null, 2))
})
