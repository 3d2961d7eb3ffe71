/**
 * Partition i of every topic goes to the same member: whoever works an input partition works its retry partitions too.
 * In partition order round the members, so that shares differ by one partition at most.
 */
import kafkajs, { type Assigner, type PartitionAssigner } from 'kafkajs'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol
const NAME = 'CheckresultCoPartition'
const VERSION = 0

export const coPartitionAssigner: PartitionAssigner = ({ cluster }): Assigner => ({
  name: NAME,
  version: VERSION,
  protocol: ({ topics }) => ({
    name: NAME,
    metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }),
  }),
  // oxlint-disable-next-line require-await -- kafkajs wants a promise
  assign: async ({ members, topics }) => {
    const memberIds = members.map(({ memberId }) => memberId).sort()
    const counts = topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length] as const)
    return memberIds.map((memberId, index) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: VERSION,
        assignment: Object.fromEntries(
          counts.map(([topic, count]) => [topic, everyNth(count, { from: index, step: memberIds.length })]),
        ),
        userData: Buffer.alloc(0),
      }),
    }))
  },
})

function everyNth(count: number, { from, step }: { from: number; step: number }): number[] {
  const partitions: number[] = []
  for (let partition = from; partition < count; partition += step) partitions.push(partition)
  return partitions
}
