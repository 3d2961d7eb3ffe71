/** Unusual verdicts, risk and dead letters. */
import { mix, type Fault } from '../fault.ts'
import { EVERYDAY } from '../load.ts'

function events(name: string, kinds: readonly string[], fires: readonly string[]): Fault {
  return {
    name,
    stages: [{ do: ({ load }) => load.ofKinds(kinds), fires }],
    heal: ({ load }) => load.ofKinds(EVERYDAY),
  }
}

/** The high pass rate comes first, because an ordinary pass rate after a low one would not look high. */
export const OUTCOME_FAULTS: readonly Fault[] = [
  events('every verification passes and none is risky', mix({ passhkid2018: 1 }), [
    'CheckResultPassRateHigh',
    'CheckResultRiskDetectionSilent',
  ]),
  events(
    'most documents are forged and the vendor has changed the format of its answers',
    mix({ screenremark: 8, passhkid2018: 3, pass205: 1, brokencomma: 1 }),
    [
      'CheckResultPassRateLow',
      'CheckResultRiskRateHigh',
      'CheckResultRiskRateExtreme',
      'CheckResultVerdictsDisagree',
      'CheckResultUnreadableDocuments',
    ],
  ),
  events('most events are rejected', mix({ invalidid: 3, passhkid2018: 1 }), [
    'CheckResultDeadLetters',
    'CheckResultManyDeadLetters',
    'CheckResultDeadLetterLimit',
  ]),
]
