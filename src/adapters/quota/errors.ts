/**
 * What went wrong at Redis, in a message that says what to do. Neither the library's messages nor the server's are passed
 * on: they hold addresses, commands and parts of the login. Of a refusal only its first word is taken.
 */
import { OperatorError } from '../../core/safe-error.ts'

/** No answer in time, at a connection that is open. */
export class SlowError extends Error {}

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /^(WRONGPASS|NOAUTH|AUTH)$/,
    'Redis refuses the login: check the user and the password in REDIS_URL (special characters are to be percent-encoded).',
  ],
  [
    /^NOPERM$/,
    'The Redis user lacks a right: grant +evalsha +eval +time +hmget +hget +hset +hdel +del +pexpire, and ~ with the key named in CHECKRESULT_QUOTA_KEY.',
  ],
  [/^DENIED$/, 'Redis takes no clients from other machines: set a password there, or its protected-mode.'],
  [
    /^READONLY$/,
    'REDIS_URL leads to a replica, which takes no writes: let it lead to the primary. After a failover that comes by itself.',
  ],
  [
    /^(MOVED|ASK|CROSSSLOT)$/,
    'REDIS_URL leads to a node of a cluster that does not hold the key of CHECKRESULT_QUOTA_KEY: let it lead to the node that does, or to a proxy of the cluster.',
  ],
  [/^(CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS)$/, 'The Redis cluster is not whole: see to its nodes.'],
  [/^LOADING$/, 'Redis is loading its data, and serves when it has.'],
  [/^BUSY$/, 'A script keeps Redis busy: see which one, and end it by SCRIPT KILL.'],
  [/^OOM$/, 'Redis has no memory left for writes: raise its maxmemory, or find what fills it.'],
  [/^MISCONF$/, 'Redis takes no writes because it cannot save its data: see its log and disk.'],
  [
    /^(WRONGTYPE|BADLIMIT)$/,
    'The key named in CHECKRESULT_QUOTA_KEY holds something else: name a key that nobody else uses, or delete it.',
  ],
  [/^DB$/, 'Redis has no database of the number in REDIS_URL.'],
  [/^CLIENTS$/, 'Redis has as many clients as it takes: raise its maxclients, or find who they are.'],
  [
    /^(URI|ERR_INVALID_URL)$/,
    'REDIS_URL cannot be read: percent-encode special characters in its user and password.',
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'The host in REDIS_URL is not known: check its name.'],
  [/^SLOW$/, 'Redis does not answer in time: see whether it is overloaded, stopped or cut off.'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'The certificate of Redis is for another name than the one in REDIS_URL.',
  ],
  [
    /CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS|SSL|^EPROTO$/,
    'The TLS handshake with Redis fails: check that REDIS_URL begins with rediss:// for TLS and redis:// without, and REDIS_TLS_CA_FILE.',
  ],
  [
    /^(ECONN\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|CLOSED|TIMEOUT|Client\w+Error|DisconnectsClientError)$/,
    'Redis does not answer: check the address in REDIS_URL, that it runs, and that rediss:// stands for TLS.',
  ],
]

/** One message that says what to do, with the kind of the error in brackets. */
export function explain(error: unknown): string {
  if (error instanceof OperatorError) return error.message
  const kind = kindOf(error)
  const advice = ADVICE.find(([pattern]) => pattern.test(kind))?.[1]
  return advice === undefined ? `Redis refused a request (${kind}).` : `${advice} (${kind})`
}

/** Of refusals that all begin with ERR. */
const PLAIN_REFUSALS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/\bAUTH\b|password/i, 'AUTH'],
  [/can't run this command|ACL failure/i, 'NOPERM'], // within the script
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
  // Redis 6 wraps what a script was refused: "ERR Error running script (...): ... -READONLY ..."
  const [, wrapped] = /^ERR Error running script.*: -?([A-Z]{3,20})\b/.exec(error.message) ?? []
  if (wrapped !== undefined && wrapped !== 'ERR') return wrapped
  return PLAIN_REFUSALS.find(([pattern]) => pattern.test(error.message))?.[1] ?? word
}

/** The script is not in the server's memory, as after a restart. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
