/**
 * Decides how the simulated API answers the calls for one record. The decision depends only on the seed and the
 * record's number.
 */
import { Dice } from './dice.ts'
import { healthyBody, toText, type Body } from './bodies.ts'
import { mutateBody } from './mutate-body.ts'
import { CANARY } from './events.ts'
import { kindOf, type Kind, type Outcome } from './kinds.ts'

export type Scripted =
  | {
      readonly kind: 'http'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Buffer
    }
  /** Raw bytes on the connection, after which it is closed. */
  | { readonly kind: 'raw'; readonly bytes: Buffer }
  | { readonly kind: 'reset' | 'silence' | 'drip' }

export interface AnswerPlan {
  readonly name: string
  readonly outcomes: ReadonlySet<Outcome>
  readonly isHealthy: boolean
  /** The verdict of the result; null if there may be no result or its verdict is not certain. */
  readonly verdict: 'PASSED' | 'FAILED' | null
  /** `call` counts from 1. */
  readonly respond: (call: number) => Scripted
}

const RESULT: ReadonlySet<Outcome> = new Set(['result'])
const DEAD_LETTER: ReadonlySet<Outcome> = new Set(['dead-letter'])
const EITHER: ReadonlySet<Outcome> = new Set(['result', 'dead-letter'])

/**
 * Weights per thousand. Throttling is rare, because the service treats throttling of several records within seconds
 * as account-wide and slows down. Outages (`api.ts`) test that case.
 */
const PLANS = {
  mutated: 410,
  transient: 180,
  broken: 150,
  final: 120,
  notYet: 100,
  unknown: 15,
  never: 10,
  refused: 7,
  silence: 6,
  throttled: 2,
} as const
const MAX_TIMES = 2

/** A negative number is a transaction that a mutation made up. */
export function planOf(seed: number, number: number): AnswerPlan {
  const dice = new Dice('answer', seed, number)
  const passed = dice.chance(0.7)
  const body = healthyBody(dice, passed)
  const healthy = json(200, body)
  const verdict = passed ? 'PASSED' : 'FAILED'
  const plain: AnswerPlan = {
    name: 'healthy',
    outcomes: RESULT,
    isHealthy: true,
    verdict,
    respond: () => healthy,
  }
  if (number < 0 || !isAnswered(kindOf(seed, number), dice)) return plain
  const kind = dice.weighted(PLANS)
  const times = dice.between(1, MAX_TIMES)
  const atFirst = (first: Scripted): AnswerPlan => ({
    ...plain,
    name: kind,
    isHealthy: false,
    respond: (call) => (call <= times ? first : healthy),
  })
  const always = (scripted: Scripted, outcomes: ReadonlySet<Outcome>): AnswerPlan => ({
    name: kind,
    outcomes,
    isHealthy: false,
    verdict: null,
    respond: () => scripted,
  })
  switch (kind) {
    case 'mutated':
      return always({ ...healthy, body: mutateBody(body, dice) }, EITHER)
    case 'notYet':
      return atFirst(dice.chance(0.3) ? pending(body) : refusal(404, 'ProcessNotCompleted', dice))
    case 'transient':
      return atFirst(transient(dice))
    case 'throttled':
      return atFirst(throttling(dice))
    case 'broken':
      return atFirst(broken(dice, healthy))
    case 'final':
      return always(final(dice), DEAD_LETTER)
    case 'unknown':
      return always(unknown(dice), DEAD_LETTER)
    case 'refused': {
      const refused = dice.chance(0.2)
        ? throttling(dice)
        : refusal(403, 'Forbidden.RAMUserAccessDenied', dice)
      return always(refused, DEAD_LETTER)
    }
    case 'never':
      return always(
        dice.chance(0.5) ? refusal(404, 'ProcessNotCompleted', dice) : transient(dice),
        DEAD_LETTER,
      )
    case 'silence':
      return atFirst({ kind: dice.pick(['silence', 'drip']) })
  }
}

/**
 * Whether the answers may be odd too. Records that are odd themselves mostly get healthy answers, so that their own
 * oddity is tested.
 */
function isAnswered(kind: Kind, dice: Dice): boolean {
  if (kind === 'answered') return true
  return kind !== 'good' && kind !== 'duplicate' && dice.chance(0.1)
}

function http(
  status: number,
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Scripted {
  return { kind: 'http', status, headers, body: Buffer.from(body) }
}

function json(status: number, body: Body): Scripted & { readonly kind: 'http' } {
  return { kind: 'http', status, headers: JSON_TYPE, body: Buffer.from(toText(body)) }
}

const JSON_TYPE = { 'content-type': 'application/json;charset=utf-8' }
const HTML = `<html><head><title>Bad Gateway</title></head><body>${CANARY}</body></html>`

function pending(body: Body): Scripted {
  return json(200, { ...body, Result: { ...body.Result, Passed: 'P' } })
}

/** An error in the gateway's format. Some members are not always present. */
export function refusal(
  status: number,
  code: string,
  dice: Dice,
  headers: Readonly<Record<string, string>> = {},
): Scripted {
  const error: Record<string, unknown> = { Code: code, Message: `Refused. ${CANARY}` }
  if (dice.chance(0.8)) error['RequestId'] = '130A2C10-B9EE-4D84-88E3-5384FF039795'
  if (dice.chance(0.5)) error['HostId'] = CANARY
  if (dice.chance(0.2)) error['AccessDeniedDetail'] = { AuthAction: CANARY, NoPermissionType: [CANARY] }
  if (dice.chance(0.2)) error['Result'] = dice.pick([null, {}, '', [], { Passed: 'Y' }])
  return http(status, JSON.stringify(error), { ...JSON_TYPE, ...headers })
}

const SHORT_HINTS = ['0', '1', '50', '200', '', '-5', 'soon', '1e2', '0x10', '1.5'] as const

function throttling(dice: Dice): Scripted {
  const hint = dice.pick(SHORT_HINTS)
  const headers: Record<string, string> = dice.chance(0.5) ? { 'x-acs-retry-after': hint } : {}
  if (dice.chance(0.2)) {
    const body = dice.pick([HTML, '', '{}'])
    return http(429, body, { 'content-type': 'text/html', 'retry-after': hint })
  }
  const code = dice.pick(['Throttling', 'Throttling.User', 'Throttling.Api'])
  return refusal(dice.pick([400, 403, 429, 200]), code, dice, headers)
}

function transient(dice: Dice): Scripted {
  const headers: Record<string, string> = dice.chance(0.3)
    ? { 'retry-after': dice.pick(['0', '1', 'soon', 'Thu, 01 Jan 1970 00:00:00 GMT']) }
    : {}
  switch (dice.weighted({ json: 4, html: 3, reset: 2, nonce: 1 })) {
    case 'json': {
      const [status, code] = dice.pick([
        [500, 'InternalError'],
        [503, 'ServiceUnavailable'],
        [500, 'InternalError.Whatever'],
        [200, 'InternalError'],
        [504, ''],
      ] as const)
      return refusal(status, code, dice, headers)
    }
    case 'html':
      return http(dice.pick([500, 502, 503, 504]), HTML, { 'content-type': 'text/html', ...headers })
    case 'reset':
      return { kind: 'reset' }
    case 'nonce':
      return refusal(400, 'SignatureNonceUsed', dice)
  }
}

const OVERSIZED = Buffer.alloc(3 * 1_024 * 1_024, ' ')
const LONG_HEADER = 'x'.repeat(100_000)

function raw(text: string): Scripted {
  return { kind: 'raw', bytes: Buffer.from(text, 'latin1') }
}

/** Answers that are not valid JSON or not valid HTTP. */
function broken(dice: Dice, healthy: Scripted & { readonly kind: 'http' }): Scripted {
  const { body } = healthy
  const kinds: readonly (() => Scripted)[] = [
    () => ({ ...healthy, body: body.subarray(0, dice.below(body.length)) }),
    () => http(200, HTML, { 'content-type': 'text/html' }),
    () => http(200, ''),
    () => http(204, ''),
    () => http(302, '', { location: `/${CANARY}` }),
    () => http(200, dice.bytes(50), JSON_TYPE),
    () => ({ ...healthy, body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]) }),
    () => ({ ...healthy, body: Buffer.concat([body, Buffer.from(',')]) }),
    () => http(200, OVERSIZED, JSON_TYPE),
    () => ({ ...healthy, headers: { ...healthy.headers, 'content-encoding': 'gzip' } }),
    () => raw(`${CANARY}\r\n\r\n`),
    () => raw('HTTP/1.1 200'),
    () => raw(`HTTP/1.1 200 ${CANARY}\r\ncontent-length: 100\r\n\r\n{"Code"`),
    () => raw('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'),
    () => raw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}'),
    () => raw(`HTTP/1.1 200 OK\r\n${CANARY}: ${LONG_HEADER}\r\ncontent-length: 2\r\n\r\n{}`),
    () => raw('HTTP/1.1 999 \u0000\r\n\r\n'),
    () => raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  ]
  return dice.pick(kinds)()
}

function final(dice: Dice): Scripted {
  const code = dice.pick([
    'TransactionIdInvalid',
    'InvalidParameter',
    'MissingParameter',
    'InvalidParameter.Anything',
  ])
  const headers: Record<string, string> = dice.chance(0.3)
    ? { 'x-acs-retry-after': dice.pick(['3000', '3600000']) }
    : {}
  return refusal(dice.pick([400, 200]), code, dice, headers)
}

/** Undocumented codes for one record, while other records succeed. */
function unknown(dice: Dice): Scripted {
  const code = dice.pick([
    'SomethingNobodyDocumented',
    'InsufficientBalance',
    'ActionUnauthorized',
    '418',
    'constructor',
    '__proto__',
    'a'.repeat(300),
    'x y',
    '\u0000',
  ])
  const status = dice.pick([400, 401, 403, 404, 409, 418, 451])
  if (dice.chance(0.2))
    return http(status, JSON.stringify({ code, message: CANARY, requestId: CANARY }), JSON_TYPE)
  return refusal(status, code, dice)
}
