import { expect, test } from 'vitest'
import { settingsPage } from '../../../dev/generate-settings-table.ts'
import { settingsTable } from '../../../src/config/describe.ts'
import { SETTING_NAMES } from '../../../src/config/settings.ts'

test('the settings table has a row for each setting with its default and its description', () => {
  const rows = settingsTable().split('\n').slice(2)
  expect(rows).toHaveLength(SETTING_NAMES.length)
  expect(rows).toContain('| `CHECKRESULT_TIMEOUT` | `8s` | Deadline of a call, including quick retries. |')
  expect(rows).toContain('| `KAFKA_BROKERS` | required | Bootstrap brokers, each as `host:port`. |')
  expect(rows).toContain('| `KAFKA_SASL_PASSWORD` or `…_FILE` |  | Password for `plain` and SCRAM. |')
  for (const row of rows) expect(row).toMatch(/^\| `[A-Z_1]+`[^|]* \|[^|]*\| \S[^|]*\. \|$/)
})

test('docs/settings.md is up to date (if this fails, run `node dev/generate-settings-table.ts`)', async () => {
  const { found, current } = await settingsPage()
  expect(found).toBe(current)
})
