/**
 * Finds names in texts that do not exist: settings, metrics and their label values, recorded series, alerts, dead-letter
 * reasons, npm scripts, files and sections of the docs. The existing names come from the code that defines them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { PROTOCOL_ERRORS } from '../../src/adapters/kafka/kafkajs/internals.ts'
import { createMetrics } from '../../src/adapters/prometheus/metrics.ts'
import { fileVariant, SETTING_NAMES } from '../../src/config/settings.ts'
import { DEAD_LETTER_REASONS } from '../../src/core/dead-letters/dead-letter.ts'
import { DELIVERIES } from '../../src/core/delivery.ts'
import { allAlerts, RECORDINGS } from '../monitoring/rules.ts'
import { lineAt, ROOT, type Hit, type TextFile } from './files.ts'

/** Variables that look like our settings but belong to other programs. */
const OTHER_VARIABLES: readonly RegExp[] = [
  // The broker, the registry, Kafka UI and the published ports in docker-compose.yml.
  /^KAFKA_(?:NODE_ID|PROCESS_ROLES|LISTENERS|ADVERTISED_LISTENERS|OPTS|HEAP_OPTS|LOG_DIRS|PORT|UI_PORT)$/,
  /^KAFKA_(?:CONTROLLER|LISTENER|INTER_BROKER|CLUSTERS_0|GROUP_INITIAL|AUTO_CREATE|OFFSETS|TRANSACTION|SHARE)_\w+$/,
  /^SCHEMA_REGISTRY_HEAP_OPTS$|^(?:OPS_PORT_[12]|REDIS_PORT)$/,
  // A timestamp type of Kafka's topics.
  /^LOG_APPEND_TIME$/,
  // Build argument and download cache of the development commands.
  /^CHECKRESULT_(?:REVISION|CACHE_DIR)$/,
]

/** Files that mention unknown names on purpose: the changelog, this check, and the table from old to new names. */
const EXEMPT =
  /^CHANGELOG\.md$|^(?:dev|test\/unit\/dev)\/language\/|^src\/config\/variable-names\.ts$|\/files\/renamed\.json$/

/** Tests invent names of every other kind. */
const CHECKED_IN_TESTS = new Set(['npm script', 'file or section'])

interface Kind {
  readonly what: string
  /** How to allow a name that is right although the check does not know it. */
  readonly allow?: string
  /** The name is the first group, or the whole match. A name that ends in `_` stands for all names with this prefix. */
  readonly pattern: RegExp
  readonly exists: (name: string, declared: ReadonlySet<string>) => boolean
}

const settings: readonly string[] = SETTING_NAMES.flatMap((name) => [name, fileVariant(name) ?? name])
/** Includes `DLQ_`, the prefix of a setting that was renamed. */
const prefixes = new Set([...settings, 'DLQ_'].map((name) => name.slice(0, name.indexOf('_') + 1)))
const exposition = (await Promise.all(DELIVERIES.map(exposed))).join('\n')
const metrics = [...exposition.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)
/** Strings like `metric{label="value"`. Labels with a closed set of values expose all of them from the start. */
const labels = new Set(
  [...exposition.matchAll(/^(checkresult_\w+)\{(.*)\} /gm)].flatMap(([, name = '', pairs = '']) =>
    pairs.split(/,(?=\w+=)/).map((pair) => `${name}{${pair}`),
  ),
)
const recordings = new Set(RECORDINGS.flatMap(({ rules }) => rules.map(({ record }) => record)))
const alerts = new Set(allAlerts.map(({ alert }) => alert))
const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: object }

const KINDS: readonly Kind[] = [
  {
    what: 'setting',
    allow: 'If it belongs to another program, add it to OTHER_VARIABLES in dev/language/names.ts.',
    pattern: /(?<![\w.$-])[A-Z][A-Z0-9]*_(?:[A-Z0-9]+(?:_[A-Z0-9]+)*)?(?:_(?=[*…])|(?![\w*…]))/g,
    exists: (name, declared) =>
      !prefixes.has(name.slice(0, name.indexOf('_') + 1)) ||
      isOneOf(settings, name) ||
      declared.has(name) ||
      PROTOCOL_ERRORS.has(name) ||
      OTHER_VARIABLES.some((pattern) => pattern.test(name)),
  },
  {
    what: 'metric',
    pattern: /(?<![\w.$/-])checkresult_[a-z0-9_]*[a-z0-9](?:_(?=[*…]))?(?![\w/])/g,
    exists: (name) => isOneOf(metrics, name) || isOneOf(metrics, name.replace(/_(?:bucket|count|sum)$/, '')),
  },
  {
    what: 'label value',
    pattern: /checkresult_\w+\{\w+="[^"$]+"/g,
    exists: isLabelOfMetric,
  },
  {
    what: 'recorded series',
    pattern: /(?<!\w)checkresult:[a-z0-9_]+:[a-z0-9_]+/g,
    exists: (name) => recordings.has(name),
  },
  {
    what: 'alert',
    pattern: /(?<![\w.])CheckResult[A-Z][A-Za-z]+/g,
    exists: (name, declared) => alerts.has(name) || declared.has(name),
  },
  {
    what: 'dead-letter reason',
    pattern: /--reason[ =]([a-z][a-z-]+)/g,
    exists: (name) => DEAD_LETTER_REASONS.some((reason) => reason === name),
  },
  {
    what: 'npm script',
    pattern: /npm run (?:-s |--silent )?([a-z](?:[\w:-]*\w)?)(?![\w:-])/g,
    exists: (name) => name in scripts,
  },
  {
    what: 'file or section',
    pattern:
      /(?<![\w./@-])(?:src|dev|test|docs|helm|schemas|compose|bench)\/[\w./-]+\.(?:ts|js|md|ya?ml|json|avsc|tpl)(?!\w)(?:#[\w-]+)?/g,
    exists: isFileOrSection,
  },
]

/** Returns the names that do not exist. `declared` comes from `declaredNames`. */
export function unknownNamesIn({ path, text }: TextFile, declared: ReadonlySet<string>): Hit[] {
  if (EXEMPT.test(path)) return []
  const kinds = path.startsWith('test/') ? KINDS.filter(({ what }) => CHECKED_IN_TESTS.has(what)) : KINDS
  return kinds.flatMap(({ what, allow, pattern, exists }) =>
    [...text.matchAll(pattern)]
      .map((match) => ({ name: match[1] ?? match[0], index: match.index }))
      .filter(({ name }) => !exists(name, declared))
      .map(({ name, index }) => ({
        path,
        line: lineAt(text, index),
        message: `no such ${what}: ${name}${allow === undefined ? '' : `. ${allow}`}`,
      })),
  )
}

/** Constants and types of the code. Texts may mention them too. */
export function declaredNames(files: readonly TextFile[]): ReadonlySet<string> {
  const code = files.filter(({ path }) => path.endsWith('.ts'))
  const pattern = /\b(?:const|type|interface|class) ([A-Z]\w*)/g
  return new Set(code.flatMap(({ text }) => [...text.matchAll(pattern)].map(([, name = '']) => name)))
}

function isOneOf(names: readonly string[], name: string): boolean {
  return name.endsWith('_') ? names.some((one) => one.startsWith(name)) : names.includes(name)
}

async function exposed(delivery: (typeof DELIVERIES)[number]): Promise<string> {
  const { body } = await createMetrics({ version: '0', revision: '0', topics: [], delivery }).exposition()
  return body
}

/** Whether a metric has a label with this value. A label without exposed values, such as `topic`, may have any value. */
function isLabelOfMetric(name: string): boolean {
  const label = name.slice(0, name.indexOf('"'))
  return labels.has(name) || ![...labels].some((one) => one.startsWith(label))
}

function isFileOrSection(name: string): boolean {
  const [path = '', section] = name.split('#')
  if (!existsSync(ROOT + path)) return false
  return section === undefined || sectionsOf(readFileSync(ROOT + path, 'utf8')).includes(section)
}

/** The anchors that GitHub derives from headings. */
function sectionsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
