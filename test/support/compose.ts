/** Reads docker-compose.yml as compose would: merged, with default values of its variables. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Dependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully'
}

export interface ComposeService {
  readonly image: string
  readonly build?: { readonly target?: string }
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, Dependency>>
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly profiles?: readonly string[]
  readonly network_mode?: string
  readonly restart?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly stop_grace_period?: string
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, string | number>> } }
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const FILE = new URL('../../docker-compose.yml', import.meta.url)

export function composeText(): string {
  return readFileSync(FILE, 'utf8')
}

export function readCompose(): Compose {
  const text = composeText().replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
  return parse(text, { merge: true }) as Compose
}
