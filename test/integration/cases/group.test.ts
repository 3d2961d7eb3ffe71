/** Another program in the consumer group of the service. */
import { describe, expect, test } from 'vitest'
import { connectTo } from '../../support/kafka.ts'
import { startRun, startService } from '../../support/run.ts'

const ANOTHER_PROTOCOL =
  /Another program, or an earlier version of this service, uses KAFKA_GROUP_ID .*: the group has members that do not assign partitions by shard/
const ANOTHER_TOPIC = /Another program uses KAFKA_GROUP_ID .*: the group has members that are not replicas/

describe.concurrent('S12: another program in the group', () => {
  test('that uses another assignment protocol is reported, and the service starts after it has left', async ({
    onTestFinished,
  }) => {
    const run = await startRun({ partitions: 2, settings: { CHECKRESULT_QPS: '50' } })
    onTestFinished(run.close)
    const { env, groupId, topics } = run.environment
    const other = connectTo().consumer({ groupId })
    await other.connect()
    await other.subscribe({ topics: [topics.input] })
    const joined = new Promise((resolve) => void other.on(other.events.GROUP_JOIN, resolve))
    await other.run({ eachMessage: () => Promise.resolve() })
    await joined

    const replica = await startService(env, onTestFinished)
    await replica.line(ANOTHER_PROTOCOL)
    const ready = await fetch(`${replica.opsUrl}/readyz`)
    expect({ status: ready.status, body: await ready.text() }).toEqual({
      status: 503,
      body: expect.stringMatching(ANOTHER_PROTOCOL),
    })

    await other.disconnect()
    const sent = await run.sendFresh(20)
    await run.untilOut(sent)
    expect(await replica.stop()).toBe(0)
  })

  test('that is this service with another input topic reports the conflict, and the first one continues', async ({
    onTestFinished,
  }) => {
    const [run, other] = await Promise.all([startRun({ partitions: 2 }), startRun({ partitions: 2 })])
    onTestFinished(run.close)
    onTestFinished(other.close)
    const first = await run.startReplica()
    const second = await startService(
      { ...other.environment.env, KAFKA_GROUP_ID: run.environment.groupId },
      onTestFinished,
    )
    await second.line(ANOTHER_TOPIC)
    const sent = await run.sendFresh(20)
    await run.untilOut(sent)
    expect(first.output()).not.toMatch(ANOTHER_TOPIC)
    expect(await first.stop()).toBe(0)
  })
})
