/** Reads the log of a service. */
import type { Running } from '../../dev/harness/commands.ts'

/** The last line, which must be a JSON log line. */
export function fields(replica: Running): Readonly<Record<string, unknown>> {
  const last = replica.output().trim().split('\n').at(-1) ?? ''
  return JSON.parse(last) as Record<string, unknown>
}

export function lastLine(replica: Running): unknown {
  return fields(replica)['message']
}

/** Warnings and errors, except those that only report that an event became a dead letter. */
export function complaints(replica: Running): string[] {
  return replica
    .output()
    .split('\n')
    .filter((line) => /"level":"(warn|error)"/.test(line) && !/became (a )?dead letter/.test(line))
}
