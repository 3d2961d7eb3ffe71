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
      'Dead letters of checkresult-stream in the last 15 minutes for the reason rejected: about 1.',
    silent: {
      'customers never came to an end': {
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
    description: '6.25% of the events of checkresult-stream became dead letters in 30 minutes.',
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
      'customers never came to an end': {
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
        '2.5% of the results of checkresult-stream contradict the event, or themselves: events may be forged, or the vendor has changed something.',
      ],
      [
        'CheckResultUnreadableDocuments',
        UNREADABLE,
        '2.5% of the results of checkresult-stream have no document because ExtIdInfo could not be read: the vendor may have changed its form.',
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
