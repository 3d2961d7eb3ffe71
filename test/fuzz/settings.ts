/** Settings of the service and configuration of its input topic. */
import { PII_MODES } from '../../src/core/normalize/privacy.ts'
import { Dice } from './dice.ts'
import { CODECS } from './record-batch.ts'

const ALWAYS = {
  CHECKRESULT_QPS: '2000',
  CHECKRESULT_TIMEOUT: '3s',
  DEFER_DELAYS: '1s',
  DEAD_LETTER_LIMIT: 'off',
} as const

/** The same seed gives the same settings. */
export function settingsOf(seed: number) {
  const dice = new Dice('settings', seed)
  return {
    ...ALWAYS,
    KAFKA_FOREIGN_RECORDS: dice.chance(0.7) ? 'skip' : 'dead-letter',
    KAFKA_COMPRESSION: dice.pick(CODECS),
    RESULT_PII: dice.pick(PII_MODES),
  } as const
}

/** Metrics of records without an output. Foreign records that become dead letters are counted as foreign too. */
export function skipsOf(settings: ReturnType<typeof settingsOf>): readonly string[] {
  const repeats = 'checkresult_duplicates_total'
  const isSkipped = settings.KAFKA_FOREIGN_RECORDS === 'skip'
  return isSkipped ? [repeats, 'checkresult_foreign_records_total'] : [repeats]
}

/** Lets the broker accept the largest and oddest records that it can. */
export function inputConfig(maxBatchBytes: number) {
  return [
    { name: 'max.message.bytes', value: String(maxBatchBytes) },
    { name: 'message.timestamp.after.max.ms', value: '9223372036854775807' },
    { name: 'retention.ms', value: '-1' },
  ]
}
