/** Which settings each part of the configuration is made of, so that a command asks only for those that it uses. */
import type { Config } from '../config.ts'
import { SETTING_NAMES, type SettingName } from './settings.ts'

export type Part = keyof Config

const CREDENTIALS = SETTING_NAMES.filter((name) => name.startsWith('ALIBABA_CLOUD_'))
const RETRY_TOPICS = ['KAFKA_RETRY_TOPIC_PREFIX', 'DEFER_DELAYS'] as const
const TOPICS = ['KAFKA_INPUT_TOPIC', 'KAFKA_RESULT_TOPIC', 'KAFKA_DEAD_LETTER_TOPIC'] as const
const CONSUMER = [
  'KAFKA_GROUP_ID',
  'KAFKA_GROUP_INSTANCE_ID',
  'KAFKA_DELIVERY',
  'KAFKA_FOREIGN_RECORDS',
  'KAFKA_START_OFFSET',
  'KAFKA_SESSION_TIMEOUT',
] as const
const QUOTA = ['CHECKRESULT_QUOTA', 'CHECKRESULT_QUOTA_KEY', 'REDIS_URL', 'REDIS_TLS_CA_FILE'] as const

function beginningWith(prefix: string, without: readonly SettingName[]): readonly SettingName[] {
  return SETTING_NAMES.filter((name) => name.startsWith(prefix) && !without.includes(name))
}

const SETTINGS: Readonly<Record<Part, readonly SettingName[]>> = {
  kafka: beginningWith('KAFKA_', [...TOPICS, ...RETRY_TOPICS, ...CONSUMER, 'KAFKA_COMPRESSION']),
  consumer: CONSUMER,
  compression: ['KAFKA_COMPRESSION'],
  topics: TOPICS,
  registry: [...beginningWith('SCHEMA_REGISTRY_', []), 'KAFKA_CLIENT_ID'],
  checkresult: beginningWith('CHECKRESULT_', QUOTA),
  quota: QUOTA,
  credentials: CREDENTIALS,
  defer: RETRY_TOPICS,
  deferMaxAgeMs: ['DEFER_MAX_AGE'],
  dedupeWindowMs: ['DEDUPE_WINDOW'],
  deadLetterLimit: ['DEAD_LETTER_LIMIT', 'DEAD_LETTER_LIMIT_COOLDOWN'],
  deadLetters: ['DEAD_LETTER_MAX_REDRIVES'],
  result: ['RESULT_PII'],
  ops: ['OPS_HOST', 'OPS_PORT'],
  log: ['LOG_LEVEL'],
  shutdownDeadlineMs: ['SHUTDOWN_DEADLINE'],
}

export const PARTS = Object.keys(SETTINGS) as readonly Part[]

/** In the order of the settings. */
export function settingsOf(parts: readonly Part[]): readonly SettingName[] {
  const wanted = new Set(parts.flatMap((part) => SETTINGS[part]))
  return SETTING_NAMES.filter((name) => wanted.has(name))
}
