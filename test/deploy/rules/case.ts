/** How an alert is put to the test. */
import type { Faults, Labels } from './series.ts'

export interface Case {
  readonly alert: string
  /** What is the matter, and until when; on top of a healthy service. */
  readonly faults: Faults
  /** Minutes from the start at which it fires, and at which it does no more. */
  readonly fires: number
  readonly clears: number
  /** Before this many minutes it must be silent: the fault is young yet. Left out, it may fire at once. */
  readonly silentAt?: number
  /** Beside alertname, severity, namespace and job. */
  readonly labels?: Labels
  /** As it is read when it fires. */
  readonly description: string
  /** What looks alike and must not fire, by what it is. */
  readonly silent?: Readonly<Record<string, Silent>>
  /** Minutes from one sample to the next. */
  readonly step?: number
}

export interface Silent {
  readonly faults: Faults
  /** In minutes. */
  readonly at: number
  /** Events a minute at each replica, apart from what the fault says. */
  readonly perMinute?: number
}
