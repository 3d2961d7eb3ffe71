/** A test case of an alert. */
import type { Faults, Labels } from './series.ts'

export interface Case {
  readonly alert: string
  /** The series that differ from those of a healthy service. */
  readonly faults: Faults
  /** Minutes from the start at which the alert fires, and at which it does not fire any more. */
  readonly fires: number
  readonly clears: number
  /** Minutes in between at which the alert must still fire. */
  readonly keepsFiring?: readonly number[]
  /** Minute at which the alert must not fire yet. Not set if it may fire at once. */
  readonly silentAt?: number
  /** Labels in addition to alertname, severity, namespace and job. */
  readonly labels?: Labels
  /** The rendered description. */
  readonly description: string
  /** Similar situations in which the alert must not fire. */
  readonly silent?: Readonly<Record<string, Silent>>
  /** Minutes between two samples. Default: 1. */
  readonly step?: number
}

export interface Silent {
  readonly faults: Faults
  /** In minutes. */
  readonly at: number
  /** Events per minute at each replica. */
  readonly perMinute?: number
}
