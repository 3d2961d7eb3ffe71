/** Describes a fault by its actions and the alerts that they trigger. */
import type { Rig } from './rig.ts'

export interface Stage {
  readonly do: (rig: Rig) => Promise<void> | void
  /** All of them must fire after the action, even if they fired before the fault. */
  readonly fires: readonly string[]
}

export interface Fault {
  /** Completes the title "alerts fire when ...". */
  readonly name: string
  readonly stages: readonly Stage[]
  /** Reverts the actions, even if they were interrupted. */
  readonly heal: (rig: Rig) => Promise<void> | void
}

export function alertsOf({ stages }: Fault): readonly string[] {
  return stages.flatMap(({ fires }) => fires)
}

/** Repeats each name the given number of times. */
export function mix(shares: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(shares).flatMap(([name, times]) => Array.from({ length: times }, () => name))
}
