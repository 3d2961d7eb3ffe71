/**
 * The chart values for the service's settings, derived from their schema: texts under `settings`, secrets under `secrets`,
 * and paths of files under `files`, each with its own name. A new setting needs no change here.
 */
import { z } from 'zod'
import type { Holds } from '../../src/config/described.ts'
import { SETTING_NAMES, aboutSetting, environment, type SettingName } from '../../src/config/settings.ts'
import { AFTER_LAST_CALL_MS } from '../../src/config/rules.ts'
import { group, leaf, type Group, type Json, type Leaf } from './nodes.ts'

/** A key in a Secret or ConfigMap, as `NAME/KEY`. */
const REFERENCE = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[-._a-zA-Z0-9]+$' } as const

const FILE: Leaf['schema'] = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: {
    secret: { ...REFERENCE, description: 'Key of a Secret: `NAME/KEY`.' },
    configMap: { ...REFERENCE, description: 'Key of a ConfigMap: `NAME/KEY`.' },
    serviceAccountToken: {
      type: 'object',
      description: 'Token of the ServiceAccount. Kubernetes renews it.',
      additionalProperties: false,
      required: ['audience'],
      properties: {
        audience: { type: 'string', minLength: 1 },
        expirationSeconds: { type: 'integer', minimum: 600 },
      },
    },
    path: { type: 'string', pattern: '^/', description: 'Path of a file in the image or in `extraVolumes`.' },
  },
}

/** It would be the same for all pods. */
const SET_BY_THE_CHART: Partial<Record<SettingName, string>> = {
  KAFKA_GROUP_INSTANCE_ID: 'Must not be set here: `staticMembership` gives each pod its own.',
}

export const settingsValues: Group = group(
  'Settings of the service, by name. A setting that is not set has the default of the service.',
  members(['text'], (name) => leaf(undefined, textMeaning(name), valueSchema(name))),
)

export const secretValues: Group = group(
  'Secrets of the service, by name. Each value is a key in a Secret, as `NAME/KEY`. They are mounted as files.',
  members(['secret'], (name) => leaf(undefined, aboutSetting(name).meaning, REFERENCE)),
)

export const fileValues: Group = group(
  'Files of the service, by the name of their setting. Each value is `secret: NAME/KEY`, `configMap: NAME/KEY`, ' +
    '`serviceAccountToken: {audience: …}` or `path: /…`.',
  members(['content', 'path'], (name) => leaf(undefined, aboutSetting(name).meaning, FILE)),
)

export const externalValues: Group = group(
  'Remote references, by the name of the secret or file. A name here must not be set under `secrets` or `files`.',
  members(['secret', 'content'], (name) =>
    leaf(undefined, aboutSetting(name).meaning, {
      type: 'object',
      additionalProperties: false,
      required: ['key'],
      properties: {
        key: { type: 'string', minLength: 1, description: 'Name of the entry in the store.' },
        property: { type: 'string', minLength: 1, description: 'Property of the entry, if it has several.' },
        version: { type: 'string', minLength: 1, description: 'Version of the entry. Default: the newest.' },
      },
    }),
  ),
)

/** Facts about the settings that the templates need in addition to the values. */
export function settingsFacts(): Json {
  const required = SETTING_NAMES.filter((name) => aboutSetting(name).otherwise === 'required')
  const defaults = SETTING_NAMES.flatMap((name) => {
    const { default: fixed } = aboutSetting(name)
    return fixed === undefined ? [] : [[name, fixed] as const]
  })
  const durations = SETTING_NAMES.flatMap((name) => {
    const { range, expected, example } = aboutSetting(name)
    if (range === undefined) return []
    return [
      [name, { ...range, expectation: `Expected ${expected}, for example ${name}=${example}.` }] as const,
    ]
  })
  return {
    about: 'Generated from src/config/settings.ts by dev/generate-chart.ts.',
    required: Object.fromEntries(required.map((name) => [name, expectation(name)])),
    defaults: Object.fromEntries(defaults),
    durations: Object.fromEntries(durations),
    afterLastCallMs: AFTER_LAST_CALL_MS,
    names: SETTING_NAMES,
  }
}

function expectation(name: SettingName): string {
  const { expected, example } = aboutSetting(name)
  return `expected ${expected}, for example ${example}.`
}

function members(kinds: readonly Holds[], toLeaf: (name: SettingName) => Leaf): Group['members'] {
  const names = SETTING_NAMES.filter((name) => kinds.includes(aboutSetting(name).holds))
  return Object.fromEntries(names.map((name) => [name, toLeaf(name)]))
}

function textMeaning(name: SettingName): string {
  const instead = SET_BY_THE_CHART[name]
  if (instead !== undefined) return instead
  const { meaning: short, expected, default: fixed, otherwise } = aboutSetting(name)
  const meaning = /\boff$/.test(expected)
    ? `${short} Write 'off' in quotes, because YAML reads off as false.`
    : short
  const unset = fixed === undefined ? otherwise : `\`${fixed}\``
  if (unset === undefined) return meaning
  return unset === 'required' ? `${meaning} Required.` : `${meaning} Default: ${unset}.`
}

/** Integers, booleans and lists have their YAML types. All other settings are strings. */
function valueSchema(name: SettingName): Leaf['schema'] {
  const { example, pattern } = aboutSetting(name)
  if (Array.isArray(environment.shape[name].safeParse(example).data)) {
    const list = pattern === undefined ? {} : { pattern }
    return { type: ['string', 'array'], ...list, items: { type: 'string', ...list } }
  }
  if (pattern !== undefined) return { type: 'string', pattern }
  const { $schema: _, ...read } = z.toJSONSchema(environment.shape[name], {
    io: 'output',
    unrepresentable: 'any',
  })
  const schema = read as Leaf['schema']
  return saysNothing(schema) ? { type: 'string' } : schema
}

function saysNothing(schema: Leaf['schema']): boolean {
  const { anyOf } = schema
  const parts = Array.isArray(anyOf) ? (anyOf as readonly Leaf['schema'][]) : [schema]
  return parts.some((part) => Object.keys(part).length === 0)
}
