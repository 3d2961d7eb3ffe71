/**
 * Variables that look like settings but are none: a misspelt one would otherwise be a setting silently left at its
 * default. `KAFKA_*`, `SCHEMA_REGISTRY_*` and `ALIBABA_CLOUD_*` belong to other tools too: there only near misses count.
 */
import { closestMatch } from 'leven'
import { SETTING_NAMES, fileVariant } from './settings.ts'

const OURS = /^(CHECKRESULT|DEFER|DLQ|RESULT|OPS)_/
const SHARED = /^(KAFKA|SCHEMA_REGISTRY|ALIBABA_CLOUD)_/

/** What Kubernetes puts into every container for each service of the namespace. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/

const KNOWN: readonly string[] = SETTING_NAMES.flatMap((name) => {
  const variant = fileVariant(name)
  return variant === null ? [name] : [name, variant]
})
/**
 * No settings of the service, but no misspelt ones either: where `npm run demo` and the like keep their downloads, and
 * the commit, which the image is built with.
 */
const BESIDE_SETTINGS = ['CHECKRESULT_CACHE_DIR', 'CHECKRESULT_REVISION']

const known = new Set([...KNOWN, ...BESIDE_SETTINGS])

/** So many letters may be wrong, missing or too much in a near miss. */
const NEAR = 2

export function unknownNames(variables: readonly string[]): string[] {
  return variables.map(errorFor).filter((error) => error !== null)
}

function errorFor(variable: string): string | null {
  if (known.has(variable) || variable.length > MAX_LENGTH || SERVICE_LINK.test(variable)) return null
  const near = closestMatch(variable, KNOWN, { maxDistance: NEAR })
  if (OURS.test(variable)) return didYouMean(variable, near ?? closestMatch(variable, KNOWN))
  return near !== undefined && SHARED.test(variable) ? didYouMean(variable, near) : null
}

const MAX_LENGTH = 100

function didYouMean(variable: string, suggestion: string | undefined): string {
  const name = /^\w+$/.test(variable) ? variable : JSON.stringify(variable)
  return `${name} is no setting of checkresult-stream: did you mean ${suggestion ?? 'CHECKRESULT_QPS'}?`
}
