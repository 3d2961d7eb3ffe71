/** Describes settings: the effective ones for `config check`, all of them for docs/settings.md. Never shows a secret. */
import type { EnvironmentValue } from './errors.ts'
import { defaultBurst } from './rules.ts'
import { MASK } from './secret.ts'
import { SETTING_NAMES, aboutSetting, fileVariant, type SettingName, type Values } from './settings.ts'

export interface SettingRow {
  readonly name: string
  readonly value: string
  readonly from: 'default' | 'environment' | 'file'
}

/** Optional settings that are not set have no row. */
export function describeValues(
  names: readonly SettingName[],
  environmentValues: ReadonlyMap<SettingName, EnvironmentValue>,
  values: Values,
): SettingRow[] {
  return names.map((name) => row(name, environmentValues.get(name), values)).filter((one) => one !== null)
}

function row(
  name: SettingName,
  environmentValue: EnvironmentValue | undefined,
  values: Values,
): SettingRow | null {
  if (environmentValue === undefined) {
    const value = aboutSetting(name).default ?? derivedDefault(name, values)
    return value === null ? null : { name, value, from: 'default' }
  }
  switch (aboutSetting(name).holds) {
    case 'secret':
      return { name, value: MASK, from: environmentValue.variable === name ? 'environment' : 'file' }
    case 'content':
      return { name, value: environmentValue.raw, from: 'file' }
    case 'path':
    case 'text':
      return { name, value: environmentValue.text, from: 'environment' }
  }
}

function derivedDefault(name: SettingName, { CHECKRESULT_QPS: qps }: Values): string | null {
  return name === 'CHECKRESULT_BURST' && qps !== 'unlimited' ? String(defaultBurst(qps)) : null
}

/** A Markdown table of all settings. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { meaning, default: fixed, otherwise } = aboutSetting(name)
    const variant = fileVariant(name) === null ? '' : ' or `…_FILE`'
    return `| \`${name}\`${variant} | ${fixed === undefined ? (otherwise ?? '') : `\`${fixed}\``} | ${meaning} |`
  })
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n')
}
