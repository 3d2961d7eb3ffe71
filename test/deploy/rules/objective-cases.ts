import type { Case } from './case.ts'
import { grows } from './series.ts'

const DEFERRED = 'checkresult_deferred_total{reason="unavailable"}'
const FRESH = 'checkresult_end_to_end_seconds_bucket'
const few = 'there are few events'

/** For the slow alerts, in steps of 15 minutes: two days with the fault, two days without. */
const SLOW_STEP = 15
const TWO_DAYS = 192
const slow = (per: number, after: number): string => grows([per, TWO_DAYS], [after, TWO_DAYS])

export const objectiveCases: readonly Case[] = [
  {
    alert: 'CheckResultAvailabilityBudgetBurn',
    faults: { [DEFERRED]: grows([0, 60], [1, 30], [0, 40]) },
    silentAt: 66,
    fires: 85,
    clears: 124,
    description:
      '4% of the attempts of checkresult-stream in the last 1 or 6 hours got no usable answer. The objective allows 0.1% over 30 days.',
    silent: {
      [few]: { perMinute: 0.02, faults: { [DEFERRED]: grows([0, 60], [0.1, 20], [0, 70]) }, at: 80 },
    },
  },
  {
    alert: 'CheckResultAvailabilityBudgetBurnSlow',
    step: SLOW_STEP,
    // Half a percent.
    faults: { [DEFERRED]: slow(0.75, 0) },
    silentAt: 105,
    fires: 26 * 60,
    clears: 48 * 60 + 8 * 60,
    description:
      '0.4975% of the attempts of checkresult-stream in the last 1 or 3 days got no usable answer. The objective allows 0.1% over 30 days.',
    silent: { [few]: { perMinute: 0.001, faults: { [DEFERRED]: slow(0.015, 0) }, at: 40 * 60 } },
  },
  {
    alert: 'CheckResultFreshnessBudgetBurn',
    faults: { [FRESH]: grows([10, 60], [4, 30], [10, 40]) },
    silentAt: 67,
    fires: 85,
    clears: 124,
    description:
      '25% of the results of checkresult-stream in the last 1 or 6 hours took longer than 60 seconds. The objective allows 1% over 30 days.',
    silent: {
      [few]: { perMinute: 0.04, faults: { [FRESH]: grows([0.04, 60], [0, 20], [0.04, 70]) }, at: 80 },
    },
  },
  {
    alert: 'CheckResultFreshnessBudgetBurnSlow',
    step: SLOW_STEP,
    // Eight in a hundred.
    faults: { [FRESH]: slow(138, 150) },
    silentAt: 15,
    fires: 26 * 60,
    clears: 48 * 60 + 8 * 60,
    description:
      '8% of the results of checkresult-stream in the last 1 or 3 days took longer than 60 seconds. The objective allows 1% over 30 days.',
    silent: { [few]: { perMinute: 0.001, faults: { [FRESH]: slow(0, 0.015) }, at: 40 * 60 } },
  },
]
