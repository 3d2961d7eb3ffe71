/** Errors of Redis: each is reported in one message without the password, and ends when Redis works again. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openQuotaKey } from '../../../src/adapters/quota/quota-key.ts'
import { Secret } from '../../../src/config/secret.ts'
import { createAuthority, issue } from '../../support/certificates.ts'
import { clientOf, redisForTest } from '../../support/redis.ts'
import { startCaller, type Caller } from '../../support/quota-callers.ts'

const PASSWORD = 'fictitious-password'
const KEY = 'checkresult:quota'

/** Everything that the log and the circuit breaker report. */
function said({ log, limiter }: Caller): string {
  return JSON.stringify([log.lines, limiter.unavailable])
}

async function refusal(url: string, ca?: string): Promise<string> {
  const caller = startCaller({ url, limit: 10, ...(ca !== undefined && { ca: new Secret(ca) }) })
  await expect(caller.limiter.ready()).rejects.toThrow(/^[A-Z].+ \(\w+\)$/)
  const message = caller.limiter.unavailable ?? ''
  expect(caller.queue.openReason).toBe('quota-unavailable')
  expect(said(caller)).not.toContain(PASSWORD)
  return message
}

function at(login: string, port: number): string {
  return `redis://${login}127.0.0.1:${port}`
}

test('a wrong, missing or unnecessary password', async () => {
  const guarded = await redisForTest({ directives: { requirepass: PASSWORD } })
  const open = await redisForTest()
  const messages = await Promise.all([
    refusal(at(`:${PASSWORD}x@`, guarded.port)),
    refusal(at('', guarded.port)),
    refusal(at(`:${PASSWORD}@`, open.port)),
    refusal(at(`somebody:${PASSWORD}@`, guarded.port)),
  ])
  for (const message of messages) expect(message).toMatch(/^Redis rejects the login\. Check the user/)
})

test('a refused connection, an unknown host, a missing database', async () => {
  const { port } = await redisForTest()
  expect(await refusal(`redis://:${PASSWORD}@127.0.0.1:1`)).toMatch(
    /^Cannot connect to Redis\. .+\(ECONNREFUSED\)$/,
  )
  expect(await refusal(`redis://:${PASSWORD}@redis.invalid:6379`)).toMatch(
    /^The host in REDIS_URL cannot be resolved/,
  )
  expect(await refusal(`redis://127.0.0.1:${port}/99`)).toMatch(/^Redis has no database/)
  expect(await refusal(`redis://:%E0%A4%A@127.0.0.1:${port}`)).toMatch(/^REDIS_URL is not a valid URL/)
})

test('a user with only the documented rights is enough, and missing rights are named', async () => {
  const { url, port } = await redisForTest()
  const admin = await clientOf(url)
  const rights = '+evalsha +eval +time +hmget +hget +hset +hdel +del +pexpire'.split(' ')
  const user = ['on', `>${PASSWORD}`, `~${KEY}`]
  await admin.send(['ACL', 'SETUSER', 'enough', ...user, ...rights])
  const caller = startCaller({ url: `redis://enough:${PASSWORD}@127.0.0.1:${port}`, limit: 50 })
  caller.work(5)
  await expect.poll(() => caller.calls.length).toBeGreaterThan(10)
  // Otherwise its calls create the key again, and the other user then needs fewer rights.
  caller.rest()
  caller.limiter.stop()
  for (const right of rights.filter((name) => name !== '+eval' && name !== '+hget' && name !== '+hdel')) {
    await admin.send(['ACL', 'SETUSER', 'less', 'reset', ...user, ...rights.filter((name) => name !== right)])
    const message = await refusal(`redis://less:${PASSWORD}@127.0.0.1:${port}`)
    expect([right, message]).toEqual([
      right,
      expect.stringMatching(/^The Redis user lacks a permission\. Grant \+evalsha/),
    ])
    await admin.send(['DEL', KEY])
  }
})

test('a read-only replica, which works once it is the primary', async () => {
  const primary = await redisForTest()
  const { url } = await redisForTest()
  const admin = await clientOf(url)
  await admin.send(['REPLICAOF', '127.0.0.1', String(primary.port)])
  const caller = startCaller({ url, limit: 10 })
  await expect.poll(() => caller.limiter.unavailable).toMatch(/^REDIS_URL points to a read-only replica/)
  await admin.send(['REPLICAOF', 'NO', 'ONE'])
  await expect.poll(() => caller.limiter.unavailable).toBeNull()
})

test('a node of a cluster that does not hold the key', async () => {
  const { url } = await redisForTest({ directives: { 'cluster-enabled': 'yes' } })
  expect(await refusal(url)).toMatch(/^The Redis cluster is not fully available/)
})

test('a key with another type of value', async () => {
  const { url } = await redisForTest()
  await (await clientOf(url)).send(['SET', KEY, 'another value'])
  expect(await refusal(url)).toMatch(/^The key in CHECKRESULT_QUOTA_KEY has unexpected content/)
})

test('a password file is read again for each connection', async () => {
  const redis = await redisForTest({ directives: { requirepass: PASSWORD } })
  const directory = await mkdtemp(join(tmpdir(), 'checkresult-redis-url-'))
  onTestFinished(async () => rm(directory, { recursive: true }))
  const file = join(directory, 'url')
  const urlWith = (password: string): string => `redis://:${password}@127.0.0.1:${redis.port}`
  await writeFile(file, `${urlWith('outdated')}\n`)
  const caller = startCaller({ url: new Secret(urlWith('outdated'), file), limit: 10 })
  await expect(caller.limiter.ready()).rejects.toThrow('Redis rejects the login')
  await writeFile(file, `${urlWith(PASSWORD)}\n`)
  await expect.poll(() => caller.limiter.unavailable).toBeNull()
  expect(said(caller)).not.toContain(PASSWORD)
})

test('TLS with a private authority works, and a missing authority or another address is reported', async () => {
  const authority = await createAuthority()
  const { cert, key } = await issue(authority, { name: 'redis' })
  const directory = await mkdtemp(join(tmpdir(), 'checkresult-redis-tls-'))
  onTestFinished(async () => rm(directory, { recursive: true }))
  const files = { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': authority.cert }
  const written = await Promise.all(
    Object.entries(files).map(async ([name, pem]) => {
      await writeFile(join(directory, name), pem)
      return [name, join(directory, name)] as const
    }),
  )
  const { port } = await redisForTest({
    directives: { ...Object.fromEntries(written), 'tls-auth-clients': 'no' },
    tls: true,
  })
  const caller = startCaller({ url: `rediss://127.0.0.1:${port}`, ca: new Secret(authority.cert), limit: 10 })
  await caller.limiter.ready()
  expect(await refusal(`rediss://127.0.0.1:${port}`)).toMatch(/^The TLS handshake with Redis fails/)
  expect(await refusal(`rediss://localhost:${port}`, authority.cert)).toMatch(
    /^The certificate of Redis does not match the host/,
  )
  expect(await refusal(`redis://127.0.0.1:${port}`)).toMatch(/^Cannot connect to Redis/)
})

test('the commands report it in one message', async () => {
  const { port } = await redisForTest({ directives: { requirepass: PASSWORD } })
  const url = new Secret(`redis://:wrong@127.0.0.1:${port}`)
  await expect(openQuotaKey({ url, ca: null, key: KEY })).rejects.toThrow('Redis rejects the login')
})
