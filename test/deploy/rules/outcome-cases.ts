import type { Case } from './case.ts'
import { grows } from './series.ts'

const DISAGREE = 'checkresult_verdict_disagreements_total'
const UNREADABLE = 'checkresult_unreadable_documents_total'

export const outcomeCases: readonly Case[] = [
  {
    alert: 'CheckResultDeadLetters',
    faults: {
      'checkresult_dead_letters_total{reason="rejected",instance="a"}': grows([0, 10], [1, 1], [0, 109]),
    },
    silentAt: 10,
    fires: 12,
    clears: 28,
    labels: { reason: 'rejected' },
    description:
      'Dead letters of checkresult-stream in the last 15 minutes with the reason rejected: about 1. These events get no result unless they are put back.',
    silent: {
      'customers never finish': {
        faults: { 'checkresult_dead_letters_total{reason="not-completed"}': grows([1, 120]) },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultManyDeadLetters',
    faults: { 'checkresult_dead_letters_total{reason="unknown-code"}': grows([0, 10], [1, 40], [0, 70]) },
    silentAt: 18,
    fires: 30,
    clears: 85,
    description:
      '6.25% of the events of checkresult-stream became dead letters in 30 minutes. They get no result unless they are put back.',
    silent: {
      'there are few events': {
        perMinute: 0.1,
        faults: {
          'checkresult_dead_letters_total{reason="unknown-code",instance="a"}': grows(
            [0, 10],
            [1, 5],
            [0, 105],
          ),
        },
        at: 25,
      },
      'customers never finish': {
        faults: { 'checkresult_dead_letters_total{reason="not-completed"}': grows([1, 120]) },
        at: 60,
      },
    },
  },
  ...(
    [
      [
        'CheckResultVerdictsDisagree',
        DISAGREE,
        '2.5% of the results of checkresult-stream in the last hour contradict their event, or have a verdict that does not fit their sub-code. The service publishes what the API answered. Events may be forged, or the vendor may have changed its answers.',
      ],
      [
        'CheckResultUnreadableDocuments',
        UNREADABLE,
        '2.5% of the results of checkresult-stream in the last hour were published without a document, because ExtIdInfo cannot be read. The vendor may have changed its format.',
      ],
    ] as const
  ).map(([alert, metric, description]): Case => ({
    alert,
    faults: { [metric]: grows([0, 10], [0.5, 20], [0, 90]) },
    silentAt: 22,
    fires: 40,
    clears: 95,
    description,
    silent: {
      'there are few events': {
        perMinute: 0.1,
        faults: { [`${metric}{instance="a"}`]: grows([0, 10], [1, 5], [0, 105]) },
        at: 25,
      },
    },
  })),
]
