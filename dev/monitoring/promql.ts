/** Constants and labels shared by rules and dashboards. */

/** Recorded series aggregate the replicas of a service by these labels. Without Kubernetes the namespace is empty. */
export const SERVICE = 'namespace, job'

/** Excludes retry topics, whose names end in their delay: events on them are not due yet, so they are not late. */
export const NOT_RETRY = 'topic!~".+[.][0-9]+(s|m|h|d)"'

/** Service level objectives: the share of attempts and of results that must be good. */
export const AVAILABILITY_OBJECTIVE = 0.999
export const FRESHNESS_OBJECTIVE = 0.99
/** A result is on time if it is published within this time. It must be a bucket of `checkresult_end_to_end_seconds`. */
export const FRESH_SECONDS = 60
/** Matches the bucket in Prometheus 2 and in Prometheus 3, which writes bounds as floats. */
export const FRESH = `le=~"${FRESH_SECONDS}([.]0)?"`

/** Sub-codes that the vendor bills: passed and failed verifications. */
export const BILLED_SUB_CODES = '200|212'

/** Removes the indentation and the surrounding empty lines of a template. */
export function promql(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const lines = String.raw({ raw: parts }, ...values)
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
  const margin = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  return lines.map((line) => line.slice(Math.min(margin, line.length - line.trimStart().length))).join('\n')
}
