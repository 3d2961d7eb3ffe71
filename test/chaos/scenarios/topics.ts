/** Scenarios that change topics while they are read. */
import { mustSucceed } from '../../../dev/harness/commands.ts'
import type { Scenario } from '../scenario.ts'

/** The service checks the partition counts of its topics at intervals. */
const NOTICED_S = 20
const WIDER = 12

export const TOPIC_SCENARIOS: readonly Scenario[] = [
  {
    name: 'partitions-added',
    fault: 'the input topic widened from 8 to 12 partitions',
    play: async ({ stage, last, mark }) => {
      const { topics, env } = stage.environment
      await stage.admin.createPartitions({ topicPartitions: [{ topic: topics.input, count: WIDER }] })
      stage.spreadOver(WIDER)
      mark('the new partitions were read', NOTICED_S)
      await last(5)
      await mustSucceed(['topics', 'create', '--partitions', String(WIDER), '--replication-factor', '3'], env)
      await last(NOTICED_S)
    },
  },
]
