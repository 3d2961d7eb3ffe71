/** Words shared by rules and dashboards. */

/** A recorded series is one of a service: its replicas are added up. Without Kubernetes the namespace is empty. */
export const SERVICE = 'namespace, job'

/** Retry topics end in their delay. What waits there is not late: it is not due. */
export const NOT_RETRY = 'topic!~".+[.][0-9]+(s|m|h|d)"'

/** Objectives: the share of events that may go wrong. */
export const AVAILABILITY_OBJECTIVE = 0.999
export const FRESHNESS_OBJECTIVE = 0.99
/** An event is fresh that comes out within this; a bucket of `checkresult_end_to_end_seconds` ends here. */
export const FRESH_SECONDS = 60
/** Prometheus 3 writes the bounds of buckets as floats. */
export const FRESH = `le=~"${FRESH_SECONDS}([.]0)?"`

/** What the vendor bills: a passed and a failed verification. */
export const BILLED_SUB_CODES = '200|212'

/** The template without its indentation and the empty lines around it. */
export function promql(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const lines = String.raw({ raw: parts }, ...values)
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
  const margin = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0
  return lines.map((line) => line.slice(Math.min(margin, line.length - line.trimStart().length))).join('\n')
}
