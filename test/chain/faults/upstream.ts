/** The API, the account and the credentials. */
import type { Faults } from '../../../src/simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { mix, type Fault } from '../fault.ts'
import { EVERYDAY } from '../load.ts'
import type { Rig } from '../rig.ts'

/** Above what freshness allows. */
const LATE_MS = 120_000
/** Renewed with a third of it left, and that fails. */
const SHORT_LEASE_MS = 30_000

/** An open circuit breaker is probed within this. */
const OPENS_WITHIN_MS = 40_000

/** One event in ten comes to nothing with all the quick retries, and is settled later. */
const ERRORS = mix({ passhkid2018: 16, failpassport: 1, riskpassport: 1, error5003: 2 })
const THROTTLED = mix({ passhkid2018: 5, throttled: 2 })

function account(name: string, faults: Faults, alert: string): Fault {
  return {
    name,
    stages: [{ do: ({ simulator }) => simulator.setFaults(faults), fires: [alert] }],
    heal: async (rig) => {
      rig.simulator.setFaults({})
      await circuitClosed(rig)
    },
  }
}

/** The burning of error budgets takes longest to be over: first things first. */
export const BUDGET_FAULTS: readonly Fault[] = [
  {
    name: 'one event in ten meets errors, and all of them come late',
    stages: [
      {
        do: ({ load }) => {
          load.ofKinds(ERRORS)
          load.late(LATE_MS)
        },
        fires: [
          'CheckResultUpstreamErrors',
          'CheckResultAvailabilityBudgetBurn',
          'CheckResultAvailabilityBudgetBurnSlow',
          'CheckResultFreshnessBudgetBurn',
          'CheckResultFreshnessBudgetBurnSlow',
        ],
      },
    ],
    heal: ({ load }) => {
      load.ofKinds(EVERYDAY)
      load.late(0)
    },
  },
  account('the API is down', { all: 'down' }, 'CheckResultUpstreamDown'),
]

export const UPSTREAM_FAULTS: readonly Fault[] = [
  account(
    'every call is refused with a code that this version does not know',
    { forbid: 'NewRefusal' },
    'CheckResultUnknownRefusal',
  ),
  account('the account is overdue', { forbid: 'Forbidden.AccountAccessDenied' }, 'CheckResultAccountRefused'),
  {
    name: 'the credentials are refused, and new ones cannot be had',
    stages: [
      {
        do: ({ simulator, credentials }) => {
          credentials.lendFor(SHORT_LEASE_MS)
          simulator.setFaults({ forbid: 'InvalidSecurityToken.Expired' })
        },
        fires: ['CheckResultCredentialsRefused', 'CheckResultCredentialsExpiring'],
      },
      {
        do: ({ simulator, credentials }) => {
          credentials.server.down = true
          simulator.setFaults({})
        },
        fires: ['CheckResultCredentialRenewalFails'],
      },
    ],
    heal: async (rig) => {
      rig.simulator.setFaults({})
      rig.credentials.server.down = false
      rig.credentials.lendFor()
      await circuitClosed(rig)
    },
  },
]

/** The quota recovers slowly from it: nothing is held up after the last fault. */
export const LAST_FAULT: Fault = {
  name: 'others use up the quota of the account',
  stages: [{ do: ({ load }) => load.ofKinds(THROTTLED), fires: ['CheckResultThrottled'] }],
  heal: ({ load }) => load.ofKinds(EVERYDAY),
}

/** A probe goes through. */
async function circuitClosed({ api }: Rig): Promise<void> {
  await until(async () => (await api.seriesNow('checkresult_circuit_open == 1')) === 0, {
    what: () => 'The circuit breaker is still open',
    timeoutMs: OPENS_WITHIN_MS,
  })
}
