/** `quota`: shows and changes the limit in Redis that all programs with the same key keep. */
import type { Command } from 'commander'
import type { QuotaKey } from '../adapters/quota/quota-key.ts'
import { integer } from '../config/arguments.ts'
import { SettingsError, settingsHelp, withSettings } from './settings.ts'

const MAX_CALLS_PER_SECOND = 100_000
const SETTINGS = settingsHelp('needs CHECKRESULT_QUOTA=redis and REDIS_URL; uses CHECKRESULT_QUOTA_KEY')

export function addQuotaCommand(program: Command): void {
  const quota = program
    .command('quota')
    .description(
      'show or change the limit in Redis (CHECKRESULT_QUOTA=redis), which all programs with the same key share',
    )
  quota
    .command('show')
    .description('print the limit and how much of it is in use')
    .addHelpText('after', SETTINGS)
    .action(() => withQuotaKey(show))
  quota
    .command('set')
    .description('change the limit for all programs with the same key, at once and without a restart')
    .argument('<N>', 'maximum number of calls in any second', integer(1, MAX_CALLS_PER_SECOND))
    .addHelpText('after', SETTINGS)
    .action((limit: number) => withQuotaKey((key) => set(key, limit)))
}

async function withQuotaKey(command: (key: QuotaKey) => Promise<string>): Promise<void> {
  await withSettings(['quota'], async ({ quota }) => {
    if (quota.mode !== 'redis') {
      throw new SettingsError(
        'CHECKRESULT_QUOTA is "partition", so there is no limit in Redis: change CHECKRESULT_QPS and restart the replicas, or set CHECKRESULT_QUOTA=redis and REDIS_URL.',
      )
    }
    const { openQuotaKey } = await import('../adapters/quota/quota-key.ts')
    const key = await openQuotaKey(quota)
    try {
      process.stdout.write(`${await command(key)}\n`)
    } finally {
      key.close()
    }
  })
}

async function show(key: QuotaKey): Promise<string> {
  const found = await key.read()
  if (found === null) {
    return 'Redis holds no limit yet: the first replica that starts stores its CHECKRESULT_QPS there.'
  }
  return `${found.limit} calls in any second, ${found.taken} of them in use now.`
}

async function set(key: QuotaKey, limit: number): Promise<string> {
  const before = await key.read()
  await key.setLimit(limit)
  return `The limit is now ${limit} calls in any second${before === null ? '' : ` (was ${before.limit})`}.`
}
