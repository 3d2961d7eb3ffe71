/**
 * `npm run sbom`: writes a software bill of materials (CycloneDX) of the service's runtime packages, from the lock
 * file, to `sbom.cdx.json`. It is the same on every machine. It is attached to a release, not committed.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { NAME } from '../src/version.ts'
import { thirdParties } from './licenses.ts'
import { call, ToolError } from './tools/install.ts'

export interface Component {
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
}

export interface Edges {
  readonly ref: string
  readonly dependsOn: readonly string[]
}

export interface Bom {
  readonly bomFormat: string
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly Edges[]
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FILE = fileURLToPath(new URL('../sbom.cdx.json', import.meta.url))

/**
 * npm's own `--omit=dev` also omits runtime packages that development needs, so the list would be incomplete. Throws
 * a ToolError if npm is too old.
 */
export async function makeSbom(): Promise<Bom> {
  const flags = ['--sbom-format=cyclonedx', '--package-lock-only']
  const bom = JSON.parse(await call('npm', ['sbom', ...flags], { cwd: ROOT })) as Bom
  return curate(bom, new Set(thirdParties().map(({ name, version }) => `${name}@${version}`)))
}

/**
 * Keeps only the packages in `shipped`, and sets the project's name, because npm uses the name of the current folder.
 */
export function curate(bom: Bom, shipped: ReadonlySet<string>): Bom {
  const { metadata, components, dependencies } = bom
  const whole = { ...metadata.component, name: NAME }
  const kept = components.filter(({ name, version }) => shipped.has(`${name}@${version}`))
  const refs = new Set([whole, ...kept].map((component) => component['bom-ref']))
  return {
    ...bom,
    metadata: { ...metadata, component: whole },
    components: kept,
    dependencies: dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) })),
  }
}

if (import.meta.main) {
  try {
    const bom = await makeSbom()
    writeFileSync(FILE, `${JSON.stringify(bom, null, 2)}\n`)
    process.stdout.write(`${bom.components.length} packages are listed in ${FILE}.\n`)
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    process.stderr.write(`npm 10 or newer is required to generate the bill of materials. ${error.message}\n`)
    process.exitCode = 1
  }
}
