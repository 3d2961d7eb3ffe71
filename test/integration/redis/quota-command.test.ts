import { describe, expect, test } from 'vitest'
import { runCommand, type Env } from '../../../dev/harness/commands.ts'
import { redisForTest } from '../../support/redis.ts'
import { startCaller } from '../../support/quota-callers.ts'

const SETTINGS: Env = {
  KAFKA_BROKERS: '127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  ALIBABA_CLOUD_ACCESS_KEY_ID: 'fictitious',
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'fictitious',
}
const KEY = 'checkresult:quota:of-this-test'

describe('with the quota in Redis', () => {
  test('"quota show" prints the limit and its current usage, "quota set" changes it for all replicas', async () => {
    const { url } = await redisForTest()
    const env = { ...SETTINGS, CHECKRESULT_QUOTA: 'redis', REDIS_URL: url, CHECKRESULT_QUOTA_KEY: KEY }
    const say = async (...args: string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await runCommand(['quota', ...args], env)
      return { code, said: stdout + stderr }
    }
    expect(await say('show')).toEqual({
      code: 0,
      said: 'Redis holds no limit yet: the first replica that starts stores its CHECKRESULT_QPS there.\n',
    })
    const caller = startCaller({ url, limit: 50, key: KEY })
    await caller.limiter.ready()
    expect(await say('show')).toEqual({ code: 0, said: '50 calls in any second, 0 of them in use now.\n' })
    caller.work(20)
    await expect.poll(() => caller.calls.length).toBeGreaterThan(60)
    const { said } = (await say('show')) as { said: string }
    expect(said).toMatch(/^50 calls in any second, [45]\d of them in use now\.\n$/)
    expect(await say('set', '60')).toEqual({
      code: 0,
      said: 'The limit is now 60 calls in any second (was 50).\n',
    })
    await expect.poll(() => caller.limits.at(-1)).toBe(60)
  })

  test('errors are reported in one message', async () => {
    const env = { ...SETTINGS, CHECKRESULT_QUOTA: 'redis', REDIS_URL: 'redis://:fictitious@127.0.0.1:1' }
    const { code, stderr } = await runCommand(['quota', 'show'], env)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^Cannot connect to Redis\. .+\(ECONNREFUSED\)\n$/),
    })
    const set = await runCommand(['quota', 'set', '0'], env)
    expect(set.stderr).toContain('Expected an integer from 1 to 100000.')
  })
})

test('if replicas share the quota by partitions, the command says what to change instead', async () => {
  const { code, stderr } = await runCommand(['quota', 'set', '5'], SETTINGS)
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringMatching(
      /^CHECKRESULT_QUOTA is "partition", so there is no limit in Redis: change CHECKRESULT_QPS .+\n$/,
    ),
  })
})
