/** Cases of rates over half an hour compared with six hours. One sample every five minutes is enough. */
import type { Case } from './case.ts'
import { grows, type Faults, type Stretch } from './series.ts'

const STEP = 5
/** In steps: nine normal hours before, then one hour with the fault, then five normal hours. */
const BEFORE = 108
const AFTER = 60

const PASSED = 'checkresult_results_total{verdict="PASSED"}'
const FAILED = 'checkresult_results_total{verdict="FAILED"}'
const RISKY = 'checkresult_risk_checks_total{result="risky"}'
const CLEAN = 'checkresult_risk_checks_total{result="clean"}'

interface Shift {
  /** Decisions per step at each replica. */
  readonly pace?: number
  /** Decisions per step before the change, if different. */
  readonly paceBefore?: number
  readonly usual: number
  /** Shares during the change. */
  readonly changed: readonly Stretch[]
}

/** Two counters that add up to the pace. The share of the first one changes. */
function shares(
  counted: string,
  rest: string,
  { pace = 50, paceBefore = pace, usual, changed }: Shift,
): Faults {
  const counter = (part: (share: number) => number): string =>
    grows(
      [part(usual) * paceBefore, BEFORE],
      ...changed.map(([share, steps]): Stretch => [part(share) * pace, steps]),
      [part(usual) * pace, AFTER],
    )
  return { [counted]: counter((share) => share), [rest]: counter((share) => 1 - share) }
}

const passing = (usual: number, share: number, pace?: number): Faults =>
  shares(PASSED, FAILED, { usual, changed: [[share, 12]], ...(pace === undefined ? {} : { pace }) })
const risking = (usual: number, share: number, pace?: number): Faults =>
  shares(RISKY, CLEAN, { usual, changed: [[share, 12]], ...(pace === undefined ? {} : { pace }) })

const at = (steps: number): number => (BEFORE + steps) * STEP
/** Two decisions in five minutes at each replica: 24 in half an hour. */
const FEW = 2
const few = 'there are few decisions'
const unknown = 'there is too little history'

export const rateCases: readonly Case[] = [
  {
    alert: 'CheckResultPassRateLow',
    step: STEP,
    faults: passing(0.9, 0.3),
    silentAt: at(1),
    fires: at(8),
    clears: at(24),
    description:
      '30% of the verifications of checkresult-stream passed in the last 30 minutes, which is below the usual range of the hours before.',
    silent: {
      [unknown]: {
        faults: shares(PASSED, FAILED, { usual: 0.9, changed: [[0.3, 12]], paceBefore: FEW / 4 }),
        at: at(10),
      },
      [few]: { faults: passing(0.9, 0.3, FEW), at: at(10) },
      'it is within the usual range': { faults: passing(0.9, 0.87), at: at(10) },
    },
  },
  {
    alert: 'CheckResultPassRateHigh',
    step: STEP,
    faults: passing(0.7, 0.95),
    silentAt: at(3),
    fires: at(8),
    clears: at(24),
    description:
      '95% of the verifications of checkresult-stream passed in the last 30 minutes, which is above the usual range of the hours before.',
    silent: {
      [unknown]: {
        faults: shares(PASSED, FAILED, { usual: 0.5, changed: [[1, 12]], paceBefore: FEW / 4 }),
        at: at(10),
      },
      [few]: { faults: passing(0.2, 1, FEW), at: at(10) },
      'it was low for hours and is normal again': {
        faults: shares(PASSED, FAILED, { usual: 0.9, changed: [[0.3, 36]] }),
        at: at(36 + 12),
      },
    },
  },
  {
    alert: 'CheckResultRiskRateHigh',
    step: STEP,
    faults: risking(0.02, 0.15),
    silentAt: at(3),
    fires: at(8),
    clears: at(24),
    description:
      '15% of the checked verifications of checkresult-stream were risky in the last 30 minutes, which is above the usual range of the hours before.',
    silent: {
      [unknown]: {
        faults: shares(RISKY, CLEAN, { usual: 0.02, changed: [[0.3, 12]], paceBefore: FEW / 4 }),
        at: at(10),
      },
      [few]: { faults: risking(0.02, 0.15, FEW), at: at(10) },
      'it is within the usual range': { faults: risking(0.02, 0.04), at: at(10) },
    },
  },
  {
    alert: 'CheckResultRiskRateExtreme',
    step: STEP,
    faults: risking(0.02, 0.5),
    silentAt: at(5),
    fires: at(8),
    clears: at(24),
    description:
      '50% of the checked verifications of checkresult-stream were risky in the last 30 minutes. The service publishes the risk with each result.',
    silent: { [few]: { faults: risking(0.02, 0.5, FEW), at: at(10) } },
  },
  {
    alert: 'CheckResultRiskDetectionSilent',
    step: STEP,
    faults: risking(0.04, 0),
    silentAt: at(7),
    fires: at(11),
    clears: at(24),
    description:
      'About 24 risky verifications of checkresult-stream were expected in 30 minutes, based on the hours before, and none was found. The risk checks may be off.',
    silent: { [few]: { faults: risking(0.04, 0, FEW), at: at(11) } },
  },
]
