/** What becomes of the events: verdicts, risk, dead letters. */
import { mix, type Fault } from '../fault.ts'
import { EVERYDAY } from '../load.ts'

function events(name: string, kinds: readonly string[], fires: readonly string[]): Fault {
  return {
    name,
    stages: [{ do: ({ load }) => load.ofKinds(kinds), fires }],
    heal: ({ load }) => load.ofKinds(EVERYDAY),
  }
}

/** All passing comes before few passing: what follows a low pass rate is no alarming high one. */
export const OUTCOME_FAULTS: readonly Fault[] = [
  events('everybody passes and nobody is risky', mix({ passhkid2018: 1 }), [
    'CheckResultPassRateHigh',
    'CheckResultRiskDetectionSilent',
  ]),
  events(
    'most documents are forged, and the vendor has changed the form of its answers',
    mix({ screenremark: 8, passhkid2018: 3, pass205: 1, brokencomma: 1 }),
    [
      'CheckResultPassRateLow',
      'CheckResultRiskRateHigh',
      'CheckResultRiskRateExtreme',
      'CheckResultVerdictsDisagree',
      'CheckResultUnreadableDocuments',
    ],
  ),
  events('most events are refused', mix({ invalidid: 3, passhkid2018: 1 }), [
    'CheckResultDeadLetters',
    'CheckResultManyDeadLetters',
    'CheckResultDeadLetterLimit',
  ]),
]
