/** Plays one run: sends the records while the service works, and compares every output with its record. */
import { setTimeout as delay } from 'node:timers/promises'
import type { StackAddresses } from '../../dev/harness/environment.ts'
import type { Delivery } from '../../src/core/delivery.ts'
import { Bed } from '../support/bed.ts'
import { connectTo, createTopics } from '../support/kafka.ts'
import { startApiThread, type Api } from './api-thread.ts'
import { BrokerConnection } from './broker.ts'
import type { World } from './contents.ts'
import { layouts } from './layout.ts'
import { Ledger } from './ledger.ts'
import { followOutputs } from './reader.ts'
import { kindOf } from './kinds.ts'
import { recordOf, type FuzzRecord } from './records.ts'
import { registerVariations } from './schemas.ts'
import { Sender } from './sender.ts'
import { containerEnv, watchService, type ServiceWatch } from './service.ts'
import { inputConfig, settingsOf, skipsOf } from './settings.ts'
import { findStuck, stepOver, type StuckRecord } from './stuck.ts'
import type { Figures } from './report.ts'

export interface PlayOptions {
  readonly stack: StackAddresses
  readonly delivery: Delivery
  readonly seed: number
  readonly records: number
  readonly only: ReadonlySet<number> | null
  readonly slack: number
  /** Seconds after which the service gives up on records that are never answered. */
  readonly maxAgeS: number
  /** Number of distinct transactions between two outages, or null for none. */
  readonly outageEvery: number | null
  readonly onProgress: (line: string) => void
  /** The service's complete log, at the end. */
  readonly onLog: (text: string) => void
}

/** Many, because records of a partition wait for each other and some take seconds. */
const PARTITIONS = 24
const MAX_BATCH_BYTES = 1_048_588
/** Maximum number of unfinished records. More would measure how long a backlog takes. */
const MAX_UNDER_WAY = 600
const LATE_MS = 20_000
const STUCK_MS = 60_000
/** The service may follow a retry hint for a minute and send a probe only then. */
const MAX_HINT_MS = 60_000
/** Then it works off the backlog. */
const AFTER_OUTAGE_MS = 15_000
const LOOK_MS = 500
const PROGRESS_MS = 15_000
const MAX_STEPS = 20

export async function playFuzz(options: PlayOptions): Promise<Figures> {
  const play = await Play.set(options)
  try {
    return await play.run()
  } finally {
    await play.clear()
  }
}

class Play {
  readonly #options: PlayOptions
  readonly #bed: Bed
  readonly #api: Api
  readonly #service: ServiceWatch
  readonly #recordOf: (number: number) => FuzzRecord
  readonly #ledger: Ledger
  readonly #clearing: (() => unknown)[] = []
  #steps = 0
  #changedMs = performance.now()
  #lastDone = -1
  #lastOldest: number | null = null
  #isGivenUp = false
  #progressMs = 0

  private constructor(options: PlayOptions, parts: Parts) {
    this.#options = options
    this.#bed = parts.bed
    this.#api = parts.api
    this.#service = parts.service
    this.#recordOf = parts.recordOf
    this.#ledger = new Ledger({
      seed: options.seed,
      names: parts.bed.environment.topics,
      recordOf: parts.recordOf,
      isExcused: (sentMs, seenMs) => this.#isOutage(sentMs, seenMs),
      lateMs: LATE_MS * options.slack,
      maxAgeMs: options.maxAgeS * 1_000,
    })
    this.#clearing.push(
      () => parts.service.stop(),
      () => parts.api.close(),
      () => parts.bed.clear(),
    )
  }

  static async set(options: PlayOptions): Promise<Play> {
    const { stack, seed, delivery, outageEvery, maxAgeS } = options
    const chosen = settingsOf(seed)
    // The answers need only the seed, because the world needs the names of the topics first.
    const api = await startApiThread({ seed, outageEvery })
    const bed = await Bed.set({
      stack,
      endpoint: api.url,
      settings: { ...chosen, KAFKA_DELIVERY: delivery, DEFER_MAX_AGE: `${maxAgeS}s` },
      partitions: PARTITIONS,
      beforeTopics: async ({ topics }) => {
        const configEntries = inputConfig(MAX_BATCH_BYTES)
        await createTopics(
          [{ topic: topics.input, numPartitions: PARTITIONS, configEntries }],
          connectTo(stack.brokers),
        )
      },
    })
    const { env, topics } = bed.environment
    const schemas = await registerVariations(stack.registryUrl, topics.input)
    const world: World = {
      seed,
      nowMs: Date.now(),
      schemas,
      foreignRecords: chosen.KAFKA_FOREIGN_RECORDS,
      maxBatchBytes: MAX_BATCH_BYTES,
    }
    const service = await watchService(containerEnv(env), skipsOf(chosen))
    options.onProgress(
      Object.entries(chosen)
        .map((setting) => setting.join('='))
        .join(' '),
    )
    return new Play(options, { bed, api, service, recordOf: (number) => recordOf(world, number) })
  }

  async run(): Promise<Figures> {
    const { stack } = this.#options
    const [broker = ''] = stack.brokers
    const { topics } = this.#bed.environment
    const ledger = this.#ledger
    const startedMs = performance.now()
    const reader = await followOutputs({
      broker,
      topics: [topics.result, topics.deadLetter],
      partitions: PARTITIONS,
      onRecord: (topic, record) => ledger.noteOutput(topic, record, performance.now()),
    })
    this.#clearing.unshift(() => reader.close())
    const sender = await Sender.open({
      broker,
      topic: topics.input,
      recordOf: this.#recordOf,
      maxBatchBytes: MAX_BATCH_BYTES,
      onSent: (record, partition, offset) => ledger.noteSent(record, partition, offset),
      onAborted: (record, partition, offset) => ledger.noteAborted(record, partition, offset),
      onRefused: () => ledger.noteRefused(),
    })
    this.#clearing.unshift(() => sender.close())
    for (const layout of layouts({ ...this.#options, partitions: PARTITIONS })) {
      await sender.send(layout)
      await this.#untilFewer(MAX_UNDER_WAY)
    }
    await this.#untilOut(sender)
    await reader.untilCaughtUp()
    const isAlive = this.#service.exitCode === null
    const stoppingMs = performance.now()
    const exitCode = await this.#service.stop()
    this.#options.onLog(this.#service.output())
    await this.#api.close()
    await reader.untilCaughtUp()
    ledger.close(this.#service.skipped())
    return this.#figures({ startedMs, isAlive, exitCode, stopMs: performance.now() - stoppingMs })
  }

  async clear(): Promise<void> {
    for (const clear of this.#clearing) await clear()
  }

  #underWay(): number {
    return this.#ledger.sent - this.#ledger.out - this.#service.skipped()
  }

  /**
   * Waits until every record that must come out has done so, and sends good records meanwhile. Without successful
   * calls, the service cannot distinguish a record that is always rejected from an account-wide outage.
   */
  async #untilOut(sender: Sender): Promise<void> {
    const { records } = this.#options
    const { owed } = this.#ledger
    for (let number = records; !this.#isGivenUp && isAnyBelow(owed, records); number += 1) {
      if (kindOf(this.#options.seed, number) !== 'good') continue
      const partition = number % PARTITIONS
      await sender.send({ numbers: [number], partition, codec: 'none', transaction: 'none' })
      await this.#look()
    }
    await this.#untilFewer(1, () => owed.size === 0)
  }

  /** Checks the service while waiting, and skips records that it cannot get past. */
  async #untilFewer(count: number, isDone = () => true): Promise<void> {
    while (!this.#isGivenUp && (this.#underWay() >= count || !isDone())) await this.#look()
  }

  async #look(): Promise<void> {
    await delay(LOOK_MS)
    await this.#service.look()
    const done = this.#ledger.out + this.#service.skipped()
    const nowMs = performance.now()
    // Progress of the additional good records does not count as progress of the awaited ones.
    const oldest = this.#ledger.owed.values().next().value ?? null
    const isMoving = oldest === null ? done !== this.#lastDone : oldest !== this.#lastOldest
    if (isMoving || this.#isOutage(nowMs, nowMs)) this.#changedMs = nowMs
    this.#lastDone = done
    this.#lastOldest = oldest
    if (nowMs - this.#progressMs > PROGRESS_MS) {
      this.#progressMs = nowMs
      this.#options.onProgress(`${this.#ledger.sent} sent, ${done} done`)
    }
    const isStuck = nowMs - this.#changedMs > STUCK_MS * this.#options.slack && this.#underWay() > 0
    if (isStuck || this.#service.exitCode !== null) this.#isGivenUp = !(await this.#stepOver())
  }

  /** Moves the group past stuck records. False if that did not help, so the run ends. */
  async #stepOver(): Promise<boolean> {
    const { kafka, environment } = this.#bed
    const ledger = this.#ledger
    const { exitCode } = this.#service
    if (exitCode !== null) {
      const detail = `The service exited with code ${exitCode}.`
      ledger.report({ kind: 'stuck', number: null, about: 'process', detail })
    }
    const [broker = ''] = this.#options.stack.brokers
    const connection = await BrokerConnection.open(broker)
    const stuck = await findStuck(kafka, connection, environment)
    connection.close()
    for (const position of stuck) {
      const number = this.#numberAt(position)
      const record = number === null ? null : this.#recordOf(number)
      const about =
        record === null ? position.topic : `${record.kind}: ${record.about}; answers: ${record.plan.name}`
      const detail = `Partition ${position.topic} [${position.partition}] is stuck at offset ${position.offset}.`
      ledger.report({ kind: 'stuck', number, about, detail })
      this.#options.onProgress(`stuck at record ${number} (${about}): ${detail}`)
    }
    this.#steps += 1
    if (stuck.length === 0 || this.#steps > MAX_STEPS) return false
    await this.#service.stop()
    await stepOver(kafka, environment, stuck)
    await this.#service.restart()
    this.#changedMs = performance.now()
    return true
  }

  #numberAt({ topic, partition, offset, source }: StuckRecord): number | null {
    const position = source ?? `${topic}:${partition}:${offset}`
    const [, ofPartition, ofOffset] = position.split(':').map(Number)
    return this.#ledger.numberAt(ofPartition ?? -1, ofOffset ?? -1)
  }

  /** Whether there was an outage, or the service was still recovering from one, at any time in this interval. */
  #isOutage(fromMs: number, toMs: number): boolean {
    const aftermathMs = MAX_HINT_MS + AFTER_OUTAGE_MS * this.#options.slack
    return this.#api.outages.some(
      ({ startedMs, endedMs }) => startedMs <= epochOf(toMs) && epochOf(fromMs) <= endedMs + aftermathMs,
    )
  }

  #figures(ended: Ended): Figures {
    const { seed, records, delivery } = this.#options
    const ledger = this.#ledger
    const service = this.#service
    for (const leak of service.leaks)
      ledger.report({ kind: 'leaked', number: null, about: 'service', detail: leak })
    const latencies = ledger.latencies.toSorted((one, other) => one - other)
    return {
      seed,
      records,
      delivery,
      seconds: (performance.now() - ended.startedMs) / 1_000,
      sent: ledger.sent,
      aborted: ledger.aborted,
      refused: ledger.refused,
      givenUp: ledger.givenUp,
      skipped: service.skipped(),
      calls: this.#api.calls,
      outages: this.#api.outages.map(({ name }) => name),
      counts: Object.fromEntries(ledger.counts),
      problems: ledger.problems,
      problemCount: ledger.problemCount,
      latencyP50Ms: latencies[Math.floor(latencies.length / 2)] ?? 0,
      latencyMaxMs: latencies.at(-1) ?? 0,
      peakMemoryMb: service.peakMemoryMb,
      logLines: service.logLines,
      isAlive: ended.isAlive,
      exitCode: ended.exitCode,
      stopMs: ended.stopMs,
    }
  }
}

interface Parts {
  readonly bed: Bed
  readonly api: Api
  readonly service: ServiceWatch
  readonly recordOf: (number: number) => FuzzRecord
}

interface Ended {
  readonly startedMs: number
  readonly isAlive: boolean
  readonly exitCode: number | null
  readonly stopMs: number
}

function isAnyBelow(numbers: ReadonlySet<number>, end: number): boolean {
  for (const number of numbers) if (number < end) return true
  return false
}

function epochOf(monotonicMs: number): number {
  return Date.now() - performance.now() + monotonicMs
}
