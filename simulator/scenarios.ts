/**
 * The scenarios: the beginning of a transaction id chooses how its calls are answered, for example `passhkid2018…`,
 * `notyet2…`, `html502…`. `--help` prints this table. Ids contain letters and digits only, as the vendor's do.
 * After some names a digit sets the number of calls. Code that generates ids must not put a random digit after the
 * name or number, because it would be read as the number.
 */
import { okBody, type Reading } from './answers.ts'
import { SAMPLE_DOCUMENTS } from './documents.ts'

/** The answer to one call. */
export type Response =
  | { readonly kind: 'json'; readonly status: number; readonly body: string; readonly retryAfterMs?: number }
  | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly retryAfterMs?: number }
  | { readonly kind: 'html' | 'reset' | 'hang' | 'drip' | 'oversized' }
  /** Sent unchanged, including headers: for answers made up by a test, or of a server in front of the API. */
  | {
      readonly kind: 'raw'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }

export interface ExpectedResult {
  readonly kind: 'result'
  readonly verdict: 'PASSED' | 'FAILED'
  readonly risky: boolean | null
  readonly document: boolean
}

/** The final output of a correct service for such a transaction. */
export type Expected =
  | ExpectedResult
  | { readonly kind: 'dead-letter'; readonly reason: string }
  /** Stays deferred until the service gives up because of its age. */
  | { readonly kind: 'deferred' }

export interface Scenario {
  readonly name: string
  readonly about: string
  readonly docType: string | null
  /** The event goes through a retry topic before its final output. */
  readonly defers: boolean
  readonly expected: Expected
  /** `call` counts from 1. `calls` is the number after the name, 1 by default. */
  readonly respond: (asked: { call: number; calls: number; person: number }) => Response
}

type Passing = Omit<Reading, 'person'>

function ok(reading: Passing, person: number): Response {
  return { kind: 'json', status: 200, body: okBody({ ...reading, person }) }
}

const PLAIN: Passing = { passed: 'Y', subCode: '200', family: 'hkid2018' }
const PASSED: ExpectedResult = { kind: 'result', verdict: 'PASSED', risky: false, document: true }
const HKID = '00000008'

function answered(
  name: string,
  about: string,
  reading: Partial<Passing>,
  expected: Partial<ExpectedResult> = {},
): Scenario {
  const whole = { ...PLAIN, ...reading }
  return {
    name,
    about,
    docType: HKID,
    defers: false,
    expected: { ...PASSED, ...expected },
    respond: ({ person }) => ok(whole, person),
  }
}

function forged(name: string, spoofTypes: readonly string[]): Scenario {
  return answered(
    name,
    `failed with signs of forgery, ${spoofTypes.join(' and ')}`,
    { passed: 'N', subCode: '212', spoofed: true, spoofTypes },
    { verdict: 'FAILED', risky: true },
  )
}

function refused(name: string, status: number, code: string, reason: string): Scenario {
  return {
    name,
    about: `HTTP ${status}, Code ${code}`,
    docType: HKID,
    defers: false,
    expected: { kind: 'dead-letter', reason },
    respond: () => ({ kind: 'error', status, code }),
  }
}

/** Answers the first calls with `first`, and later ones with a passed result. */
function atFirst(name: string, about: string, first: Response, defers: boolean): Scenario {
  return {
    name,
    about: `${about} for the first N calls (${name}N, default 1), then passed`,
    docType: HKID,
    defers,
    expected: PASSED,
    respond: ({ call, calls, person }) => (call <= calls ? first : ok(PLAIN, person)),
  }
}

const byFamily: Scenario[] = SAMPLE_DOCUMENTS.flatMap(({ family, docType }) => [
  { ...answered(`pass${family}`, `passed, ${family}`, { family }), docType },
  {
    ...answered(
      `fail${family}`,
      `failed, ${family}`,
      { family, passed: 'N', subCode: '205' },
      { verdict: 'FAILED' },
    ),
    docType,
  },
  {
    ...answered(
      `risk${family}`,
      `failed with signs of forgery, ${family}`,
      { family, passed: 'N', subCode: '212', spoofed: true },
      { verdict: 'FAILED', risky: true },
    ),
    docType,
  },
])

const notCompleted: Response = { kind: 'error', status: 404, code: 'ProcessNotCompleted' }

export const SCENARIOS: readonly Scenario[] = [
  ...byFamily,
  atFirst('notyet', '404 ProcessNotCompleted', notCompleted, true),
  atFirst(
    'pending',
    'Passed P',
    { kind: 'json', status: 200, body: okBody({ ...PLAIN, passed: 'P', person: 0 }) },
    true,
  ),
  atFirst(
    'flaky',
    '503 ServiceUnavailable',
    { kind: 'error', status: 503, code: 'ServiceUnavailable' },
    false,
  ),
  atFirst(
    'throttled',
    'Throttling.User with x-acs-retry-after',
    { kind: 'error', status: 400, code: 'Throttling.User', retryAfterMs: 100 },
    false,
  ),
  atFirst('html502', 'a proxy page with HTTP 502', { kind: 'html' }, false),
  atFirst('reset', 'the connection reset', { kind: 'reset' }, false),
  atFirst('hang', 'no answer at all', { kind: 'hang' }, false),
  atFirst('drip', 'a body that arrives byte by byte and never ends', { kind: 'drip' }, false),
  atFirst('oversized', 'a body of 4 MB', { kind: 'oversized' }, false),
  atFirst('error500', '500 InternalError', { kind: 'error', status: 500, code: 'InternalError' }, false),
  atFirst(
    'unknowncode',
    '400 with an undocumented code',
    { kind: 'error', status: 400, code: 'SomethingNobodyDocumented' },
    false,
  ),
  {
    name: 'never',
    about: '404 ProcessNotCompleted forever',
    docType: HKID,
    defers: true,
    expected: { kind: 'deferred' },
    respond: () => notCompleted,
  },
  refused('invalidid', 400, 'TransactionIdInvalid', 'rejected'),
  refused('invalidparameter', 400, 'InvalidParameter', 'rejected'),
  refused('missingparameter', 400, 'MissingParameter', 'rejected'),
  {
    ...answered('noverdict', 'Success without Passed', { passed: '' }),
    expected: { kind: 'dead-letter', reason: 'unreadable-answer' },
  },
  answered('code200', 'Code "200" instead of "Success"', { code: '200' }),
  answered(
    'brokencomma',
    "invalid ExtIdInfo, the vendor's sample with a trailing comma",
    { shape: 'trailing-comma' },
    { document: false, risky: null },
  ),
  answered(
    'brokenscore',
    "invalid ExtIdInfo, the vendor's sample without a comma",
    { shape: 'missing-comma' },
    { document: false, risky: null },
  ),
  answered('doublyencoded', 'ocrIdInfo as JSON in a string in a string', { shape: 'doubly-encoded' }),
  answered('plainobject', 'ExtIdInfo as an object', { shape: 'object' }),
  answered('newlines', 'ExtIdInfo with trailing newlines', { shape: 'newlines' }),
  { ...answered('snakecase', 'member names of eKYC_PRO', { shape: 'snake-case' }), docType: 'GLB03002' },
  answered('edited', 'the customer changed the name', { shape: 'edited' }),
  answered('unknownmembers', 'undocumented members', { shape: 'unknown-members' }),
  answered('maskednames', 'names masked by the vendor', { shape: 'masked' }),
  answered(
    'blankocr',
    'failed, with an empty ocrIdInfo',
    { shape: 'blank', passed: 'N', subCode: '205' },
    { verdict: 'FAILED' },
  ),
  {
    ...answered('odddates', 'ambiguous dates', { shape: 'odd-dates', family: 'passport' }),
    docType: 'GLB03002',
  },
  {
    ...answered('pages', 'members grouped by page of the document, as in eKYC_PRO', { shape: 'pages' }),
    docType: 'GLB03002',
  },
  answered('standardized', 'ocrStandardData in addition to ocrIdInfo', { shape: 'standard' }),
  answered('newresults', 'ExtSourceInfo and undocumented results', { extras: true }),
  answered(
    'newsubcode',
    'failed with an undocumented SubCode',
    { passed: 'N', subCode: '999' },
    { verdict: 'FAILED' },
  ),
  {
    ...answered('newverdict', 'an undocumented value of Passed', { passed: 'X' }),
    expected: { kind: 'dead-letter', reason: 'unreadable-answer' },
  },
  forged('screenremark', ['SCREEN_REMARK']),
  forged('tampered', ['TAMPER', 'PHOTO_COPY']),
  forged('newforgery', ['SOMETHING_NOBODY_DOCUMENTED']),
  answered(
    'spoofonly',
    'spoofResult Y without SubCode 212',
    { passed: 'N', subCode: '205', spoofed: true },
    { verdict: 'FAILED', risky: true },
  ),
  answered(
    'code212',
    'SubCode 212 without spoofResult Y',
    { passed: 'N', subCode: '212' },
    { verdict: 'FAILED', risky: true },
  ),
  answered('spoofclean', 'spoofType filled although spoofResult is N', { spoofTypes: ['SCREEN_REMARK'] }),
  answered('pass205', 'Passed Y with SubCode 205', { subCode: '205' }),
  answered(
    'faceattack',
    'faceAttack Y',
    { passed: 'N', subCode: '205', faceAttack: true },
    { verdict: 'FAILED', risky: true },
  ),
  answered('nodocument', 'no ExtIdInfo at all', { shape: 'absent' }, { document: false, risky: null }),
  { ...answered('nodoctype', 'the event has no docType', {}), docType: null },
]

/** Longest names first, so that a name that is the prefix of another one does not match first. */
const byLength = [...SCENARIOS].sort((left, right) => right.name.length - left.name.length)

export interface Named {
  readonly scenario: Scenario
  readonly calls: number
}

/** The scenario that the id names. Null if it names none. */
export function scenarioOf(transactionId: string): Named | null {
  const scenario = byLength.find(({ name }) => transactionId.startsWith(name))
  if (scenario === undefined) return null
  const digit = Number(transactionId[scenario.name.length])
  return { scenario, calls: digit > 0 ? digit : 1 }
}

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name)
}
