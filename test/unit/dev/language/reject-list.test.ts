import { expect, test } from 'vitest'
import { rejectedIn } from '../../../../dev/language/reject-list.ts'

const phrasesIn = (text: string, path = 'src/some.ts'): string[] =>
  rejectedIn({ path, text }).map(({ message }) => /^"(.+)": write/s.exec(message)?.[1] ?? message)

test.each([
  ['The token is fetched anew.', ['anew']],
  ['It waits for ever.', ['for ever']],
  ['No credentials are to be had.', ['are to be', 'to be had']],
  ['All events in hand are sent again.', ['in hand']],
  ['That is no setting.', ['is no']],
  ['A whole number is wanted.', ['is wanted']],
  ['At most so many are read.', ['At most so many']],
  ['Five, and no more.', ['and no more']],
  ['The gate is closed.', ['gate']],
  ['callsGate.close(), GATE_REASONS, gateReasons', ['sGate', 'gate', 'GATE']],
  ['The brake holds, unbraked.', ['brake', 'unbraked']],
  ['Write a letter for it.', ['letter']],
  ['toLetter(EVERY_LETTER)', ['LETTER', 'oLetter']],
  ['MOST_ROWS, GROWTH_MOST, LEAST_LENGTH', ['MOST_ROWS', 'GROWTH_MOST', 'LEAST_LENGTH']],
  ['/** A hook. To be called once. */', ['To be called']],
  ['It asks again, patiently.', ['patiently', 'asks again']],
  ['A member steps out.', ['steps out']],
  ['Leaves the role of the instance alone.', ['Leaves the role of the instance alone']],
  ['It waits, for it may come back.', [', for it']],
  ['Who waits for it must go.', ['Who waits for it must']],
  ['/** What the leader decided. */', ['What']],
  ['What cannot be read is passed over.', ['What cannot be read is passed over.']],
])('rejects "%s"', (text, phrases) => {
  expect(phrasesIn(text)).toEqual(phrases)
})

test.each([
  'There is no leader. It is no longer ready, and there are no more than two.',
  'The gateway aggregates and delegates: BAD_GATEWAY.',
  'It is no secret that GitHub Actions gates merges. A capital letter.',
  'A dead letter, deadLetter(), DEAD_LETTER_LIMIT, dead-letter topic, DeadLetter, two dead letters',
  'Only lower-case letters, digits and capital letters.',
  'at-least-once, AT_LEAST_ONCE, at most 5, the most recent one',
  'Each is longer than the one before.',
  'What is the cause? What to do about it.',
  'A stand-in stands for it. The patch is handed over.',
  'It waits for it, and then for them.',
])('accepts "%s"', (text) => {
  expect(phrasesIn(text)).toEqual([])
})

test('finds a phrase across the lines of a comment or string', () => {
  expect(phrasesIn(' * An event that is\n * no event of ours.\n')).toEqual(['is no'])
  expect(phrasesIn("'This is ' +\n  'no setting.'")).toHaveLength(1)
  expect(phrasesIn('# It waits for\n# ever.\n')).toEqual(['for ever'])
})

test('reports the line of a hit and what to write instead', () => {
  expect(rejectedIn({ path: 'docs/a.md', text: 'One.\n\nAsk anew.\n' })).toEqual([
    {
      path: 'docs/a.md',
      line: 3,
      message: '"anew": write "again" (to allow it: ALLOWED in dev/language/reject-list.ts)',
    },
  ])
})

test('accepts exactly the phrases that are allowed in a file', () => {
  expect(phrasesIn('Two sentences, and never anew.', 'CONTRIBUTING.md')).toEqual(['anew'])
})
