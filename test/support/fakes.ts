/** Simple fakes for ports. They record their calls. */
import { NO_HEADERS } from '../../src/core/records/headers.ts'
import type { Claimed, InputRecord, Log, Metrics, OutputSink } from '../../src/ports.ts'

export interface RecordedMetrics extends Metrics {
  /** The calls with their arguments, in order. */
  readonly calls: readonly (readonly [name: string, ...args: unknown[]])[]
  of(name: keyof Metrics): readonly (readonly unknown[])[]
}

export function fakeMetrics(): RecordedMetrics {
  const calls: [string, ...unknown[]][] = []
  const of = (wanted: string) => calls.filter(([name]) => name === wanted).map(([, ...args]) => args)
  return new Proxy({ calls, of } as unknown as RecordedMetrics, {
    get: (target, name: string) =>
      name in target
        ? (Reflect.get(target, name) as unknown)
        : (...args: unknown[]) => void calls.push([name, ...args]),
  })
}

export interface RecordedLog extends Log {
  readonly lines: readonly string[]
}

export function fakeLog(): RecordedLog {
  const lines: string[] = []
  const write = (message: string) => void lines.push(message)
  return { lines, info: write, warn: write, error: write }
}

export function inputRecord(offset: number | bigint, changes: Partial<InputRecord> = {}): InputRecord {
  return {
    topic: 'in',
    partition: 0,
    offset: BigInt(offset),
    timestampMs: Date.UTC(2026, 0, 1),
    key: Buffer.from(`key-${offset}`),
    value: Buffer.from(`value-${offset}`),
    headers: NO_HEADERS,
    ...changes,
  }
}

export function sinkOf(claimed: Claimed): OutputSink {
  if (claimed.kind === 'failed') throw new Error(claimed.failure.message)
  return claimed.sink
}
