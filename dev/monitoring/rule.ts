/** Types of recording rules and alerts. */

/** `critical` pages somebody, `warning` is for working hours, `info` needs no action. */
export type Severity = 'critical' | 'warning' | 'info'

export interface Recording {
  readonly record: string
  readonly expr: string
}

export interface Alert {
  readonly alert: string
  readonly severity: Severity
  readonly expr: string
  /** How long the expression must be true before the alert fires. */
  readonly for: string
  /** How long the alert keeps firing after the expression was last true. Default: not at all. */
  readonly keepFiringFor?: string
  /** The symptom in one line, without placeholders. */
  readonly summary: string
  /** The effect, and what the service does now, with Prometheus' placeholders. */
  readonly description: string
  /** Dashboard to open first. */
  readonly dashboard: 'business' | 'service'
  /** Title of the panel on that dashboard. */
  readonly panel: string
}

export interface Group<Rule> {
  readonly name: string
  readonly rules: readonly Rule[]
}
