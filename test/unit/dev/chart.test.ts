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

describe('generated files', () => {
  test('are current: run `npm run generate` if this fails', async () => {
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

  test('every value is described, every object whose names are known is closed, and none refers to another file', () => {
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

  test('the defaults of the file are those of the schema', () => {
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
      // Below a file's or a reference's own names there is nothing of the chart's.
      if (/^(settings|secrets|files|externalSecret\.data)$/.test(path)) continue
      visit(inner, path === '' ? name : `${path}.${name}`, look)
    }
  }

  test('a setting is found by what it holds: texts, secrets and files each have their place', () => {
    for (const name of SETTING_NAMES) {
      const { holds } = aboutSetting(name)
      const place = { text: 'settings', secret: 'secrets', content: 'files', path: 'files' }[holds]
      const found = Object.entries(schema.properties ?? {}).filter(
        ([at, { properties }]) =>
          ['settings', 'secrets', 'files'].includes(at) && properties !== undefined && name in properties,
      )
      const places = found.map(([at]) => at)
      expect(places, `places of ${name}`).toEqual([place])
    }
  })
})

test("the chart's version and the image's are those of the package", () => {
  const { version, appVersion } = parse(read('Chart.yaml')) as { version: string; appVersion: string }
  expect([version, appVersion]).toEqual([VERSION, VERSION])
})

describe('settings known everywhere', () => {
  const KNOWN = new Set<string>(
    SETTING_NAMES.flatMap((name) => {
      const variant = fileVariant(name)
      return variant === null ? [name] : [name, variant]
    }),
  )
  /** Each knows every setting. */
  const SOURCES: Readonly<Record<string, string>> = {
    'docs/settings.md': tableOf(read('docs/settings.md', ROOT)),
    'values.yaml': read('values.yaml'),
    'values.schema.json': read('values.schema.json'),
    'files/settings.json': read('files/settings.json'),
    "the chart's README.md": read('README.md'),
  }

  test.each(Object.entries(SOURCES))('%s knows every setting', (_, text) => {
    expect(SETTING_NAMES.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })

  const OURS =
    /\b(?:KAFKA|SCHEMA_REGISTRY|CHECKRESULT|DEFER|DEDUPE|DEAD_LETTER|DLQ|RESULT|OPS|REDIS|ALIBABA_CLOUD)_[A-Z0-9_]+\b/g

  test.each(Object.entries(SOURCES))('%s knows no other', (_, text) => {
    expect([...new Set(text.match(OURS))].filter((name) => !KNOWN.has(name))).toEqual([])
  })

  const compose = new URL('docker-compose.yml', ROOT)

  test.runIf(existsSync(compose))('docker-compose.yml gives our containers no other', () => {
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
