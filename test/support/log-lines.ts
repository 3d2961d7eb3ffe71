/** What a service has logged. */
import type { Running } from '../../dev/harness/commands.ts'

/** The last line it wrote, which has to be one of the log. */
export function fields(replica: Running): Readonly<Record<string, unknown>> {
  const last = replica.output().trim().split('\n').at(-1) ?? ''
  return JSON.parse(last) as Record<string, unknown>
}

export function lastLine(replica: Running): unknown {
  return fields(replica)['message']
}

/** Warnings and errors, without those that only say that an event became a dead letter. */
export function complaints(replica: Running): string[] {
  return replica
    .output()
    .split('\n')
    .filter((line) => /"level":"(warn|error)"/.test(line) && !/became (a )?dead letter/.test(line))
}
