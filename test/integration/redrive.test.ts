/** A redrive of many dead letters that is killed, interrupted or overtaken redrives each event exactly once. */
import { describe, expect, test } from 'vitest'
import { runCommand, startCommand } from '../../dev/harness/commands.ts'
import { connectTo, watchCommitted } from '../support/kafka.ts'
import { header, readToTheEnd } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const PARTITIONS = 2

describe.concurrent('a redrive of many dead letters', () => {
  const DEAD_LETTERS = 10_000

  interface Many {
    readonly run: Run
    /** The values of the redriven events. */
    readonly back: () => readonly string[]
    readonly untilSome: () => Promise<void>
    readonly toTheEnd: () => Promise<readonly string[]>
  }

  /** The value of each event is its number. */
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

  test('that is killed and run again loses and repeats nothing', async ({ onTestFinished }) => {
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

  test('that is interrupted ends after its current transaction and reports its progress', async ({
    onTestFinished,
  }) => {
    const { run, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const stopped = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    // Sent twice, because under npm both the terminal and npm deliver the signal.
    stopped.signal('SIGTERM')
    expect(await stopped.stop()).toBe(1)
    expect(stopped.output()).toContain('Interrupted. Run the command again to continue.')
    const [, count] = /(\d+) dead letters redriven/.exec(stopped.output()) ?? []
    expect(await toTheEnd()).toHaveLength(Number(count))
    expect(Number(count)).toBeLessThan(DEAD_LETTERS)
    await runCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    expect((await toTheEnd()).toSorted()).toEqual(ALL)
  })

  test('S19: stops if a second one starts meanwhile, even with another group', async ({ onTestFinished }) => {
    const { run, untilSome, toTheEnd } = await deadLetters(onTestFinished)
    const first = startCommand(['dlq', 'redrive', '--execute'], run.environment.env)
    await untilSome()
    // Pauses the first one midway, perhaps with an open transaction, until the second one is done.
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
