/** A redrive of many dead letters, killed, interrupted and overtaken: each event is redriven exactly once. */
import { describe, expect, test } from 'vitest'
import { runCommand, startCommand } from '../../dev/harness/commands.ts'
import { connectTo } from '../support/kafka.ts'
import { header, readToTheEnd, watchCommitted } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const PARTITIONS = 2

describe.concurrent('a redrive of many', () => {
  const DEAD_LETTERS = 10_000

  interface Many {
    readonly run: Run
    /** The redriven events, by the value of the dead letter. */
    readonly back: () => readonly string[]
    readonly untilSome: () => Promise<void>
    readonly toTheEnd: () => Promise<readonly string[]>
  }

  /** Each event's number is its value. */
  async function deadLetters(onTestFinished: (close: () => Promise<void>) => void): Promise<Many> {
    const run = await startRun({ partitions: PARTITIONS, settings: { DEAD_LETTER_LIMIT: 'off' } })
    onTestFinished(run.close)
    const sent = await run.send(
      Array.from({ length: DEAD_LETTERS }, (_, number) => ({ value: `{${number}` })),
    )
    const replica = await run.startReplica()
    await run.untilOut(sent)
    await replica.stop()
    const kafka = connectTo()
    const input = await watchCommitted(kafka, [run.topics.input])
    onTestFinished(async () => input.close())
    const producer = kafka.producer()
    await producer.connect()
    onTestFinished(async () => producer.disconnect())
    const back = (): string[] =>
      input.records
        .filter((record) => header(record, 'checkresult-redrives') === '1')
        .map(({ value }) => String(value))
    return {
      run,
      back,
      untilSome: () => input.until(() => back().length > 0),
      toTheEnd: async () => {
        await readToTheEnd(input, producer, new Map([[run.topics.input, PARTITIONS]]))
        return back()
      },
    }
  }

  const ALL = Array.from({ length: DEAD_LETTERS }, (_, number) => `{${number}`).toSorted()

  test('that is killed midway has lost and repeated nothing when it is run again', async ({
    onTestFinished,
  }) => {
    const { run, back, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const killed = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    killed.signal('SIGKILL')
    await killed.exited
    expect(back().length).toBeLessThan(DEAD_LETTERS)
    const { code, stdout } = await runCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    expect(code).toBe(0)
    expect(stdout).not.toContain(`${DEAD_LETTERS} dead letters redriven.`)
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })

  test('that is told to stop ends after the transaction in hand and says how far it came', async ({
    onTestFinished,
  }) => {
    const { run, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const stopped = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    // Twice, as under npm, which hands on what the terminal sends to both.
    stopped.signal('SIGTERM')
    expect(await stopped.stop()).toBe(1)
    expect(stopped.output()).toContain('Interrupted. Run the command again to continue.')
    const [, count] = /(\d+) dead letters redriven/.exec(stopped.output()) ?? []
    expect(await toTheEnd()).toHaveLength(Number(count))
    expect(Number(count)).toBeLessThan(DEAD_LETTERS)
    await runCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })

  test('S19: gives way to a second one that is started meanwhile, also by another group', async ({
    onTestFinished,
  }) => {
    const { run, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const first = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    // Held in the midst, perhaps with a transaction open, until the second one has done all.
    first.signal('SIGSTOP')
    const other = { ...run.environment.env, KAFKA_GROUP_ID: `${run.environment.groupId}.other` }
    const second = await runCommand(['dlq', 'redrive', '--execute'], other)
    first.signal('SIGCONT')
    expect(second.code).toBe(0)
    expect(await first.exited).toBe(1)
    expect(first.output()).toContain('Another redrive of this dead-letter topic took over')
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })
})
