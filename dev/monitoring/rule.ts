/** The shapes of the rules' tables. */

/** `critical` wakes somebody, `warning` is for working hours, `info` is only to be seen. */
export type Severity = 'critical' | 'warning' | 'info'

export interface Recording {
  readonly record: string
  readonly expr: string
}

export interface Alert {
  readonly alert: string
  readonly severity: Severity
  readonly expr: string
  /** How long it must hold. */
  readonly for: string
  /** One message that is the same each time. */
  readonly summary: string
  /** What is the matter here, with Prometheus' placeholders. */
  readonly description: string
  /** Where to look first. */
  readonly dashboard: 'business' | 'service'
  /** Title of the panel there. */
  readonly panel: string
}

export interface Group<Rule> {
  readonly name: string
  readonly rules: readonly Rule[]
}
