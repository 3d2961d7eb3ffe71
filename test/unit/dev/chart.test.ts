import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { chartFiles } from '../../../dev/generate-chart.ts'
import { SETTING_NAMES, aboutSetting, fileVariant } from '../../../src/config/settings.ts'
import { VERSION } from '../../../src/version.ts'

const ROOT = new URL('../../../', import.meta.url)
const CHART = new URL('helm/checkresult-stream/', ROOT)

function read(path: string, base = CHART): string {
  return readFileSync(new URL(path, base), 'utf8')
}

describe('generated chart files', () => {
  test('are up to date (if this fails, run `npm run generate`)', async () => {
    for (const { url, current } of await chartFiles()) {
      expect(readFileSync(url, 'utf8'), `file ${url.pathname}`).toBe(current)
    }
  })

  interface Schema {
    readonly additionalProperties?: unknown
    readonly type?: unknown
    readonly description?: string
    readonly default?: unknown
    readonly properties?: Readonly<Record<string, Schema>>
    readonly $ref?: string
  }
  const schema = JSON.parse(read('values.schema.json')) as Schema

  test('the schema describes every value, closes every object with known members, and refers to no other file', () => {
    const faults: string[] = []
    visit(schema, '', (part, path) => {
      if (path !== '' && !/^[A-Z]/.test(part.description ?? '') && !part.description?.startsWith('`')) {
        faults.push(`${path} is not described.`)
      }
      if (part.properties !== undefined && part.additionalProperties !== false)
        faults.push(`${path} is open.`)
      if (part.$ref !== undefined && !part.$ref.startsWith('#/')) faults.push(`${path} refers outside.`)
    })
    expect(faults).toEqual([])
  })

  test('the defaults in values.yaml match the schema', () => {
    const values: unknown = parse(read('values.yaml'))
    visit(schema, '', (part, path) => {
      if (part.default === undefined || path === '') return
      const found = path
        .split('.')
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], values)
      expect(found, `value ${path}`).toEqual(part.default)
    })
  })

  function visit(part: Schema, path: string, look: (part: Schema, path: string) => void): void {
    look(part, path)
    for (const [name, inner] of Object.entries(part.properties ?? {})) {
      // The content of files and references is not defined by the chart.
      if (/^(settings|secrets|files|externalSecret\.data)$/.test(path)) continue
      visit(inner, path === '' ? name : `${path}.${name}`, look)
    }
  }

  test('plain settings, secrets and file settings each go to the matching chart value', () => {
    for (const name of SETTING_NAMES) {
      const { holds } = aboutSetting(name)
      const valueName = { text: 'settings', secret: 'secrets', content: 'files', path: 'files' }[holds]
      const found = Object.entries(schema.properties ?? {}).filter(
        ([at, { properties }]) =>
          ['settings', 'secrets', 'files'].includes(at) && properties !== undefined && name in properties,
      )
      const locations = found.map(([at]) => at)
      expect(locations, `location of ${name}`).toEqual([valueName])
    }
  })
})

test('the versions of the chart and its image match package.json', () => {
  const { version, appVersion } = parse(read('Chart.yaml')) as { version: string; appVersion: string }
  expect([version, appVersion]).toEqual([VERSION, VERSION])
})

describe('lists of all settings', () => {
  const KNOWN = new Set<string>(
    SETTING_NAMES.flatMap((name) => {
      const variant = fileVariant(name)
      return variant === null ? [name] : [name, variant]
    }),
  )
  /** Each of these lists every setting. */
  const SOURCES: Readonly<Record<string, string>> = {
    'docs/settings.md': tableOf(read('docs/settings.md', ROOT)),
    'values.yaml': read('values.yaml'),
    'values.schema.json': read('values.schema.json'),
    'files/settings.json': read('files/settings.json'),
    "the chart's README.md": read('README.md'),
  }

  test.each(Object.entries(SOURCES))('%s lists every setting', (_, text) => {
    expect(SETTING_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })

  const OURS =
    /\b(?:KAFKA|SCHEMA_REGISTRY|CHECKRESULT|DEFER|DEDUPE|DEAD_LETTER|DLQ|RESULT|OPS|REDIS|ALIBABA_CLOUD)_[A-Z0-9_]+\b/g

  test.each(Object.entries(SOURCES))('%s lists no unknown setting', (_, text) => {
    expect([...new Set(text.match(OURS))].filter((name) => !KNOWN.has(name))).toEqual([])
  })

  const compose = new URL('docker-compose.yml', ROOT)

  test.runIf(existsSync(compose))('docker-compose.yml sets only known settings in our containers', () => {
    const { services } = parse(readFileSync(compose, 'utf8'), { merge: true }) as {
      services: Record<string, { image?: string; environment?: Record<string, unknown> | readonly string[] }>
    }
    const ours = Object.values(services).filter(({ image = '' }) => /(^|\/)checkresult-stream\b/.test(image))
    expect(ours.length).toBeGreaterThan(0)
    for (const { environment = {} } of ours) {
      const names = Array.isArray(environment)
        ? environment.map((entry: string) => entry.replace(/=.*$/s, ''))
        : Object.keys(environment)
      expect(names.filter((name) => name.match(OURS) !== null && !KNOWN.has(name))).toEqual([])
    }
  })
})

function tableOf(page: string): string {
  return page.slice(page.indexOf('<!-- settings -->'), page.indexOf('<!-- /settings -->'))
}
