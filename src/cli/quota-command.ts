/** `quota`: the limit that all who share the key in Redis keep, looked at and changed. */
import { InvalidArgumentError, type Command } from 'commander'
import type { QuotaKey } from '../adapters/quota/quota-key.ts'
import { OperatorError } from '../core/safe-error.ts'
import { withSettings } from './settings.ts'

const MOST = 100_000

export function addQuotaCommand(program: Command): void {
  const quota = program
    .command('quota')
    .description('the limit counted in Redis (CHECKRESULT_QUOTA=redis), for all programs that share its key')
  quota
    .command('show')
    .description('the limit, and how much of it is in use')
    .action(() => withQuotaKey(show))
  quota
    .command('set')
    .description('change the limit of all who share the key, at once and without a restart')
    .argument('<N>', 'calls in any second', callsPerSecond)
    .action((limit: number) => withQuotaKey((key) => set(key, limit)))
}

async function withQuotaKey(command: (key: QuotaKey) => Promise<string>): Promise<void> {
  await withSettings(async ({ quota }) => {
    if (quota.mode !== 'redis') {
      throw new OperatorError(
        'CHECKRESULT_QUOTA is partition, where CHECKRESULT_QPS is the limit: change that, or set CHECKRESULT_QUOTA=redis and REDIS_URL.',
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
    return 'There is no limit in Redis yet: the first service that starts sets its CHECKRESULT_QPS.'
  }
  return `${found.limit} calls in any second, ${found.taken} of them taken now.`
}

async function set(key: QuotaKey, limit: number): Promise<string> {
  const before = await key.read()
  await key.setLimit(limit)
  return `${limit} calls in any second from now on${before === null ? '' : `, instead of ${before.limit}`}.`
}

function callsPerSecond(text: string): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > MOST)
    throw new InvalidArgumentError(`A whole number from 1 to ${MOST} is wanted.`)
  return number
}
