/** A fault, told as what is done and which alerts it sets off. */
import type { Rig } from './rig.ts'

export interface Stage {
  readonly do: (rig: Rig) => Promise<void> | void
  /** All of them fire then; none of them fired before the fault. */
  readonly fires: readonly string[]
}

export interface Fault {
  /** Ends a message that begins with "when". */
  readonly name: string
  readonly stages: readonly Stage[]
  /** Puts right what the stages did, also when they came to no end. */
  readonly heal: (rig: Rig) => Promise<void> | void
}

export function alertsOf({ stages }: Fault): readonly string[] {
  return stages.flatMap(({ fires }) => fires)
}

/** Each name as many times. */
export function mix(shares: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(shares).flatMap(([name, times]) => Array.from({ length: times }, () => name))
}
