/**
 * Phrases that this project does not use, each with a suggestion. A rule must have almost no false positives. Exceptions
 * are in ALLOWED, by file and phrase.
 */
import { lineAt, type Hit, type TextFile } from './files.ts'

interface Rule {
  /** Source of a regular expression. A space also matches a line break inside a comment or a string. */
  readonly reject: string
  readonly write: string
  /** Whether upper and lower case differ. Default: false. */
  readonly cased?: boolean
}

const BE = '(?:is|are|was|were)'

export const RULES: readonly Rule[] = [
  // Grammar
  {
    reject: String.raw`(?<!\b(?:there|how|why) )\b${BE} no (?!longer|more|less|later|fewer|different|better|worse|bigger|larger|smaller|older|newer|secret|surprise|coincidence|accident)(?=[a-z])`,
    write: '"is not a ...", "has no ...", "there is no ..."',
  },
  { reject: String.raw`\b${BE} (?:not )?to be\b`, write: '"must be", "will be", "can be"' },
  { reject: String.raw`\b${BE} wanted\b`, write: '"expected ...", "must be ..."' },
  { reject: String.raw`, for (?:it|they|there|then|nobody|nothing|none) (?=[a-z])`, write: '"because"' },
  { reject: String.raw`(?<=^|[.;] )should (?:it|they|he|there|a|an|the) `, write: '"if ..."' },
  { reject: String.raw`\bwhere (?:there|it|they|that|this) ${BE} (?:no|none|one|any)\b`, write: '"if ..."' },
  {
    reject: String.raw`\bat (?:most|least) so (?:many|much|long)\b|\bso many (?:\w+ )?(?:may|at most|at least|are enough)\b`,
    write: '"up to N", "at least N"',
  },
  { reject: String.raw`\band (?:no|not) more\b`, write: '"only", "up to N"' },
  { reject: String.raw`\banother than\b`, write: '"differs from"' },
  { reject: String.raw`\b${BE} told\b`, write: '"receives", "is notified"' },
  {
    reject: String.raw`\bwho (?:asks?|comes?|reads?|wants?|calls?|waits?) [^?.\n]{1,60}\b(?:is|are|gets?|has|must)\b`,
    write: 'name the actor: "the service ...", "a caller ..."',
  },
  {
    reject: String.raw`/\*\* (?:\* )?What (?!to )`,
    write: 'the thing itself: "The ...", "Settings that ..."',
  },
  {
    reject: String.raw`(?<=^|[.!?;] |["'\`>|*]|// )What (?:is|was|are|were|has|have|can|cannot|may|must|becomes?|became|goes|fails|follows|comes|lacks|names) [^.?!:|'"()]{3,160}\.`,
    write: 'a subject instead of a clause: "Records that ...", "If a topic ..."',
    cased: true,
  },
  {
    reject: String.raw`(?<=\*\* |[.!?] )To be [a-z]+ed\b`,
    write: '"Call this ...", "Must be ..."',
    cased: true,
  },
  // Words
  { reject: String.raw`\banew\b`, write: '"again"' },
  { reject: String.raw`\bfor ever\b`, write: '"forever"' },
  { reject: String.raw`\bto be had\b`, write: '"available", "cannot obtain"' },
  { reject: String.raw`\b(?:in|into|out of) hand\b`, write: '"held", "buffered", "in memory"' },
  { reject: String.raw`\ball the same\b(?! (?:size|length|key|value|kind|time))`, write: '"anyway"' },
  { reject: String.raw`\b(?:im)?patient(?:ly)?\b`, write: '"retry while busy", "retriable"' },
  {
    reject: String.raw`\bsteps? out\b|\bstepp(?:ing|ed) out\b`,
    write: '"before rejoin", "leaves the group"',
  },
  {
    reject: String.raw`\b(?:leave|leaves|left|leaving)\b[^.;:\n]{1,40} alone\b`,
    write: '"does not change", "disables", "ignores"',
  },
  { reject: String.raw`\b(?:stand|stands|stood|standing) by\b`, write: '"is a hot standby"' },
  { reject: String.raw`\bcrowded\b`, write: '"saturated"' },
  { reject: String.raw`\b(?:hears?|believes?)\b`, write: 'what happens: "receives", "assumes"' },
  { reject: String.raw`\bunforeseen\b`, write: '"unexpected"' },
  { reject: String.raw`\b(?:ask|look)(?:s|ed|ing)? again\b`, write: '"retry", "check again"' },
  { reject: String.raw`\b(?:see|sees|saw) to it\b`, write: '"ensures", "checks"' },
  { reject: String.raw`\bin vain\b`, write: '"without success"' },
  { reject: String.raw`\bin calm\b`, write: '"in steady state"' },
  { reject: String.raw`\bmend(?:s|ed|ing)?\b`, write: '"fix"' },
  {
    reject: String.raw`\b(?:stand|stands|stood) (?:in|at|on|here|there|below|above|behind)\b(?! for)`,
    write: '"is in", "is at"',
  },
  {
    reject: String.raw`\b(?:lies|lie|lay) (?:in|beside|at|on|under|there|here)\b`,
    write: '"is in", "is at"',
  },
  {
    reject: String.raw`\bwhat \w+ lacks?\b`,
    write: '"is missing", "has no"',
  },
  { reject: String.raw`\bsentences?\b`, write: '"message"' },
  {
    reject: String.raw`\bthe way of (?:a|the|an) (?:record|event)\b`,
    write: '"the life of a record", "the pipeline"',
  },
  {
    reject: String.raw`\bof late\b|\bere\b|\blest\b|\bthereof\b|\bwhence\b|\bforthwith\b|\bnought\b|\bhitherto\b|\bwhereupon\b|\bshall\b|\btill\b|\bthence\b`,
    write: 'a modern word',
  },
  // Terms
  {
    reject: String.raw`(?<!\b(?:Actions|merge|quality|release) )(?<![A-Za-z])gates?(?![a-z])|[a-z]Gates?(?![a-z])|Gate[A-Z]`,
    write: '"circuit breaker" (closed = calls flow, open = calls are paused)',
    cased: true,
  },
  {
    reject: String.raw`(?<![A-Za-z])(?:Gates?|GATES?)(?![A-Za-z])`,
    write: '"circuit breaker" (closed = calls flow, open = calls are paused)',
    cased: true,
  },
  {
    reject: String.raw`(?<![a-z])(?:un)?brak(?:e|es|ed|ing)(?![a-z])|[a-z]Brak(?:e|es|ed|ing)(?![a-z])`,
    write: '"dead-letter limit" (trips, cooldown)',
  },
  {
    reject: String.raw`(?<!dead|dead[-_]|dead )(?<!(?:case|capital|latin|roman|greek|ascii|only|small|no|first|last|two|three|one|single|non|of|are|with) )(?<![a-z])letters?(?![a-z]|-case| case| and digits| or digits|, digits|,? numbers)`,
    write: '"dead letter" (of a text: "character")',
  },
  {
    reject: String.raw`[a-z](?<!dead|Dead)Letters?(?![a-z])`,
    write: '"deadLetter"',
    cased: true,
  },
  { reject: String.raw`\bredrive markers?\b|\bmarkers? of (?:a|the) redrive\b`, write: '"redrive receipt"' },
  {
    reject: String.raw`\b(?!AT_LEAST_ONCE)(?:[A-Z0-9]+_)*(?:MOST|LEAST)_[A-Z]\w*|\b(?:[A-Z0-9]+_)+(?:MOST|LEAST)\b`,
    write: '"MAX_...", "MIN_..."',
    cased: true,
  },
]

/** Phrases that some files may use although a rule rejects them. Keep this list short. */
export const ALLOWED: readonly { readonly path: RegExp; readonly phrase: RegExp }[] = [
  // The rules and their tests.
  { path: /^(?:dev\/language\/|test\/unit\/dev\/language)/, phrase: /./ },
  // Old names.
  { path: /^CHANGELOG\.md$/, phrase: /^(?:gate|r?brake|letters)$/i },
  { path: /^(?:src|test\/unit)\/config\/variable-names\b|\/files\/renamed\.json$/, phrase: /^BRAKE$/ },
  // Style rules are about prose.
  { path: /^CONTRIBUTING\.md$/, phrase: /^sentences?$/i },
]

/** Separates two words of a phrase: spaces, a line break within a comment, or two strings joined by `+`. */
const GAP = String.raw`(?:[\s*#/>]|['"\`] ?\+\s+['"\`])+`

const compiled = RULES.map(({ reject, write, cased }) => ({
  pattern: new RegExp(reject.replaceAll(/(?<!\\) /g, GAP), cased ? 'gm' : 'gim'),
  write,
}))

const ALLOW = ' (to allow it: ALLOWED in dev/language/reject-list.ts)'

export function rejectedIn({ path, text }: TextFile): Hit[] {
  const allowed = ALLOWED.filter((one) => one.path.test(path))
  return compiled.flatMap(({ pattern, write }) =>
    [...text.matchAll(pattern)]
      .map((match) => ({
        phrase: match[0].replaceAll(/[\s*#/>]*\s[\s*#/>]*/g, ' ').trim(),
        index: match.index,
      }))
      .filter(({ phrase }) => !allowed.some((one) => one.phrase.test(phrase)))
      .map(({ phrase, index }) => ({
        path,
        line: lineAt(text, index),
        message: `"${phrase}": write ${write}${ALLOW}`,
      })),
  )
}
