/**
 * Turns a Redis error into a message that says what to do. Messages of the library and the server are not passed
 * on, because they contain addresses, commands and parts of the login. Only the first word of a server error is
 * used.
 */
import { OperatorError } from '../../core/safe-error.ts'

/** Redis did not answer in time on an open connection. */
export class SlowError extends Error {}

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /^(WRONGPASS|NOAUTH|AUTH)$/,
    'Redis rejects the login. Check the user and the password in REDIS_URL (special characters must be percent-encoded).',
  ],
  [
    /^NOPERM$/,
    'The Redis user lacks a permission. Grant +evalsha +eval +time +hmget +hget +hset +hdel +del +pexpire, and access to the key in CHECKRESULT_QUOTA_KEY (~ followed by the key).',
  ],
  [
    /^DENIED$/,
    'Redis accepts no clients from other machines. Set a password on the server, or turn off its protected-mode.',
  ],
  [
    /^READONLY$/,
    'REDIS_URL points to a read-only replica. Point it to the primary. During a failover this resolves by itself.',
  ],
  [
    /^(MOVED|ASK|CROSSSLOT)$/,
    'REDIS_URL points to a cluster node that does not own the key in CHECKRESULT_QUOTA_KEY. Point it to the node that does, or to a proxy of the cluster.',
  ],
  [
    /^(CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS)$/,
    'The Redis cluster is not fully available. Check its nodes.',
  ],
  [/^LOADING$/, 'Redis is still loading its data. The service retries until it is ready.'],
  [/^BUSY$/, 'Another script is blocking Redis. Find out which one, and end it with SCRIPT KILL.'],
  [/^OOM$/, 'Redis has no memory left for writes. Raise maxmemory, or find out what uses it.'],
  [/^MISCONF$/, 'Redis rejects writes because it cannot save its data to disk. Check its log and disk.'],
  [
    /^(WRONGTYPE|BADLIMIT)$/,
    'The key in CHECKRESULT_QUOTA_KEY has unexpected content. Choose a key that nothing else uses, or delete it.',
  ],
  [/^DB$/, 'Redis has no database with the number in REDIS_URL. Correct the number.'],
  [
    /^CLIENTS$/,
    'Redis has reached its maximum number of clients. Raise maxclients, or find out who is connected.',
  ],
  [
    /^(URI|ERR_INVALID_URL)$/,
    'REDIS_URL is not a valid URL. Percent-encode special characters in its user and password.',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The host in REDIS_URL cannot be resolved. Check its name.'],
  [/^SLOW$/, 'Redis does not answer in time. Check whether it is overloaded, suspended or unreachable.'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'The certificate of Redis does not match the host in REDIS_URL. Use a host name that the certificate contains.',
  ],
  [
    /CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS|SSL|^EPROTO$/,
    'The TLS handshake with Redis fails. Check that REDIS_URL begins with rediss:// for TLS and redis:// without, and check REDIS_TLS_CA_FILE.',
  ],
  [
    /^(ECONN\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|CLOSED|TIMEOUT|Client\w+Error|DisconnectsClientError)$/,
    'Cannot connect to Redis. Check the address in REDIS_URL, that Redis is running, and that rediss:// is used for TLS.',
  ],
]

/** A message that says what to do, followed by the kind of error in parentheses. */
export function explain(error: unknown): string {
  if (error instanceof OperatorError) return error.message
  const kind = kindOf(error)
  const advice = ADVICE.find(([pattern]) => pattern.test(kind))?.[1]
  return advice === undefined ? `Redis rejected a request (${kind}).` : `${advice} (${kind})`
}

/** For server errors that begin with just ERR. */
const PLAIN_REFUSALS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/\bAUTH\b|password/i, 'AUTH'],
  [/can't run this command|ACL failure/i, 'NOPERM'], // inside the script
  [/max number of clients/i, 'CLIENTS'],
  [/\bDB index\b|SELECT is not allowed/i, 'DB'],
]

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if (error instanceof SlowError) return 'SLOW'
  if (error instanceof URIError) return 'URI'
  const code = 'code' in error ? error.code : null
  if (typeof code === 'string' && /^\w{1,80}$/.test(code)) return code
  if (error.message.startsWith('Socket closed')) return 'CLOSED'
  if (error.message.startsWith('Connection timeout')) return 'TIMEOUT'
  const [word = ''] = /^[A-Z]{2,20}\b/.exec(error.message) ?? []
  if (word !== 'ERR') return word === '' ? error.constructor.name : word
  // Redis 6 wraps the error of a command inside a script: "ERR Error running script (...): ... -READONLY ..."
  const [, wrapped] = /^ERR Error running script.*: -?([A-Z]{3,20})\b/.exec(error.message) ?? []
  if (wrapped !== undefined && wrapped !== 'ERR') return wrapped
  return PLAIN_REFUSALS.find(([pattern]) => pattern.test(error.message))?.[1] ?? word
}

/** Whether the script is missing from the server's cache, for example after a restart. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
