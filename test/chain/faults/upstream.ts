/** Failures of the API, the account and the credentials. */
import type { Faults } from '../../../simulator/simulator.ts'
import { until } from '../../support/until.ts'
import { mix, type Fault } from '../fault.ts'
import { EVERYDAY } from '../load.ts'
import type { Rig } from '../rig.ts'

/** Above the freshness objective. */
const LATE_MS = 120_000
/** Renewal starts when a third of the lifetime is left, and fails. */
const SHORT_LEASE_MS = 30_000

/** An open circuit breaker sends a probe within this time. */
const OPENS_WITHIN_MS = 40_000

/** Each tenth event fails despite all quick retries and is settled later. */
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

/** Come first, because alerts on error budgets take longest to resolve. */
export const BUDGET_FAULTS: readonly Fault[] = [
  {
    name: 'one event in ten gets errors and all events are late',
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
    'every call is rejected with an unknown code',
    { forbid: 'NewRefusal' },
    'CheckResultUnknownRefusal',
  ),
  account('the account is overdue', { forbid: 'Forbidden.AccountAccessDenied' }, 'CheckResultAccountRefused'),
  {
    name: 'the credentials are rejected and new ones cannot be obtained',
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

/** The last fault, because the quota recovers slowly from it and would delay others. */
export const LAST_FAULT: Fault = {
  name: 'other programs use up the quota of the account',
  stages: [{ do: ({ load }) => load.ofKinds(THROTTLED), fires: ['CheckResultThrottled'] }],
  heal: ({ load }) => load.ofKinds(EVERYDAY),
}

/** Resolves when a probe has closed the circuit breaker. */
async function circuitClosed({ api }: Rig): Promise<void> {
  await until(async () => (await api.seriesNow('checkresult_circuit_open == 1')) === 0, {
    what: () => 'The circuit breaker is still open',
    timeoutMs: OPENS_WITHIN_MS,
  })
}
