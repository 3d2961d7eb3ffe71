import { describe, expect, test } from 'vitest'
import {
  EMPTY_BODY_HASH,
  canonicalQuery,
  sign,
  signCheckResult,
  type Credentials,
} from '../../../src/adapters/alibaba/sign-v3.ts'
import { RequestVerifier, type SignedCall, type Verified } from '../../../simulator/verify-request.ts'

const KEY: Credentials = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }
const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
const MINUTE_MS = 60_000

interface Changes {
  readonly credentials?: Credentials
  readonly transactionId?: string
  readonly merchantBizId?: string
  readonly date?: string
  readonly nonce?: string
}

let nonces = 0

/** Signed the way the service signs. */
function signed({ credentials = KEY, ...changes }: Changes = {}): SignedCall {
  const { path, headers } = signCheckResult({
    host: 'simulator.test',
    credentials,
    transactionId: 'passhkid2018x1',
    merchantBizId: 'biz1',
    date: '2026-01-01T00:00:00Z',
    nonce: `nonce${(nonces += 1)}`,
    ...changes,
  })
  return { method: 'POST', url: path, headers }
}

/** Signed with the general algorithm to create requests that the service would never send. */
function signedWith(
  headers: Record<string, string>,
  parameters: Record<string, string>,
  unsigned: readonly string[] = [],
): SignedCall {
  const query = canonicalQuery(parameters)
  const all = {
    host: 'simulator.test',
    'x-acs-action': 'CheckResult',
    'x-acs-version': '2022-08-09',
    'x-acs-date': '2026-01-01T00:00:00Z',
    'x-acs-signature-nonce': `nonce${(nonces += 1)}`,
    'x-acs-content-sha256': EMPTY_BODY_HASH,
    ...headers,
  }
  const { signedHeaders, signature } = sign({
    method: 'POST',
    path: '/',
    query,
    headers: Object.fromEntries(Object.entries(all).filter(([name]) => !unsigned.includes(name))),
    bodyHash: EMPTY_BODY_HASH,
    secret: KEY.accessKeySecret,
  })
  const authorization = `ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=${signedHeaders},Signature=${signature}`
  return { method: 'POST', url: `/?${query}`, headers: { ...all, authorization } }
}

function without(call: SignedCall, header: string): SignedCall {
  const { [header]: _, ...headers } = call.headers
  return { ...call, headers }
}

function verify(call: SignedCall, credentials: Credentials = KEY): Verified {
  return new RequestVerifier(credentials).verify(call, NOW_MS)
}

const refused = (status: number, code: string): Verified => ({ kind: 'refused', refusal: { status, code } })

describe('a call', () => {
  test('is accepted if the service signed it, and its parameters are read', () => {
    expect(verify(signed())).toEqual({
      kind: 'ok',
      transactionId: 'passhkid2018x1',
      merchantBizId: 'biz1',
    })
  })

  test('is accepted with undocumented parameters', () => {
    const parameters = { TransactionId: 't1', MerchantBizId: 'b1', ExtraImageControlList: "a b*c~(é)!'" }
    expect(verify(signedWith({}, parameters)).kind).toBe('ok')
  })

  test('is accepted with undocumented headers if they are signed', () => {
    const call = signedWith({ 'x-acs-retry-attempts': '1' }, { TransactionId: 't1', MerchantBizId: 'b1' })
    expect(verify(call).kind).toBe('ok')
  })
})

describe('a signature', () => {
  const mismatch = refused(400, 'SignatureDoesNotMatch')

  test('is rejected if it was made with another secret', () => {
    expect(verify(signed({ credentials: { ...KEY, accessKeySecret: 'other' } }))).toEqual(mismatch)
  })

  test('is rejected if a parameter was changed after signing', () => {
    const call = signed()
    expect(verify({ ...call, url: call.url.replace('biz1', 'biz2') })).toEqual(mismatch)
  })

  test.each(['host', 'x-acs-date', 'x-acs-signature-nonce', 'x-acs-content-sha256'])(
    'is rejected if %s was changed after signing',
    (header) => {
      const call = signed()
      const value = header === 'x-acs-date' ? '2026-01-01T00:00:01Z' : 'changed'
      expect(verify({ ...call, headers: { ...call.headers, [header]: value } })).toEqual(mismatch)
    },
  )

  test.each(['x-acs-extra', 'content-type'])('is rejected if %s was added without being signed', (header) => {
    const call = signed()
    expect(verify({ ...call, headers: { ...call.headers, [header]: '1' } })).toEqual(mismatch)
  })

  test('is rejected if the host was not signed', () => {
    const call = signedWith({}, { TransactionId: 't1', MerchantBizId: 'b1' }, ['host'])
    expect(verify(call)).toEqual(mismatch)
  })

  test('does not use up the nonce if it is rejected', () => {
    const verifier = new RequestVerifier(KEY)
    const call = signed()
    expect(verifier.verify({ ...call, url: `${call.url}&More=1` }, NOW_MS)).toEqual(mismatch)
    expect(verifier.verify(call, NOW_MS).kind).toBe('ok')
  })
})

describe('the access key', () => {
  test('is rejected as not found if it is unknown', () => {
    expect(verify(signed({ credentials: { ...KEY, accessKeyId: 'stranger' } }))).toEqual(
      refused(404, 'InvalidAccessKeyId.NotFound'),
    )
  })

  test.each([undefined, '', 'Bearer token', 'ACS3-HMAC-SHA256 Credential=testid', 'acs testid:abc='])(
    'is rejected as incomplete in the authorization %j',
    (authorization) => {
      const call = signed()
      expect(verify({ ...call, headers: { ...call.headers, authorization } })).toEqual(
        refused(400, 'IncompleteSignature'),
      )
    },
  )
})

describe('temporary credentials', () => {
  const temporary = { ...KEY, securityToken: 'token' }

  test('are accepted with their token', () => {
    expect(verify(signed({ credentials: temporary }), temporary).kind).toBe('ok')
  })

  test('are rejected without their token', () => {
    expect(verify(signed(), temporary)).toEqual(refused(400, 'MissingSecurityToken'))
  })

  test('are rejected with another token', () => {
    const call = signed({ credentials: { ...KEY, securityToken: 'other' } })
    expect(verify(call, temporary)).toEqual(refused(400, 'InvalidSecurityToken.Malformed'))
  })

  test('a token is rejected if the key is permanent', () => {
    expect(verify(signed({ credentials: temporary }))).toEqual(refused(400, 'InvalidSecurityToken.Malformed'))
  })
})

describe('the request date', () => {
  test.each([-15, 15])('may differ by %d minutes', (minutes) => {
    expect(new RequestVerifier(KEY).verify(signed(), NOW_MS + minutes * MINUTE_MS).kind).toBe('ok')
  })

  test.each([-15, 15])('is expired one second beyond %d minutes', (minutes) => {
    const epochMs = NOW_MS + minutes * MINUTE_MS + Math.sign(minutes) * 1_000
    expect(new RequestVerifier(KEY).verify(signed(), epochMs)).toEqual(
      refused(400, 'InvalidTimeStamp.Expired'),
    )
  })

  test.each(['2026-99-99T99:99:99Z', '2026-13-01T00:00:00Z', '2026-01-01T25:00:00Z'])(
    'is accepted if it has the required form: %j',
    (date) => {
      expect(verify(signed({ date }))).toEqual(refused(400, 'InvalidTimeStamp.Format'))
    },
  )

  test.each(['', 'yesterday', '2026-01-01T00:00:00.000Z', '2026-01-01 00:00:00', '1767225600000'])(
    'is rejected in any other form: %j',
    (date) => {
      expect(verify(signed({ date }))).toEqual(refused(400, 'InvalidTimeStamp.Format'))
    },
  )
})

describe('the nonce', () => {
  test('is accepted only once', () => {
    const verifier = new RequestVerifier(KEY)
    expect(verifier.verify(signed({ nonce: 'once' }), NOW_MS).kind).toBe('ok')
    expect(verifier.verify(signed({ nonce: 'once' }), NOW_MS)).toEqual(refused(400, 'SignatureNonceUsed'))
  })

  test('is required', () => {
    expect(verify(signed({ nonce: '' }))).toEqual(refused(400, 'MissingSignatureNonce'))
  })
})

describe('the operation', () => {
  test('requires the method POST', () => {
    expect(verify({ ...signed(), method: 'GET' })).toEqual(refused(405, 'UnsupportedHTTPMethod'))
  })

  test.each(['/api', '/CheckResult?TransactionId=t', '//'])('is rejected as not found at %s', (url) => {
    expect(verify({ ...signed(), url })).toEqual(refused(404, 'InvalidApi.NotFound'))
  })

  test('is rejected if it has another name', () => {
    const call = signed()
    expect(verify({ ...call, headers: { ...call.headers, 'x-acs-action': 'Initialize' } })).toEqual(
      refused(404, 'InvalidApi.NotFound'),
    )
    expect(verify(without(call, 'x-acs-action'))).toEqual(refused(404, 'InvalidApi.NotFound'))
  })

  test('is rejected in another version', () => {
    const call = signed()
    expect(verify({ ...call, headers: { ...call.headers, 'x-acs-version': '2019-03-07' } })).toEqual(
      refused(404, 'InvalidVersion'),
    )
  })
})

describe('the parameters', () => {
  test.each([
    [{ transactionId: '' }, 'MissingParameter'],
    [{ merchantBizId: '' }, 'MissingParameter'],
    [{ merchantBizId: 'with space' }, 'InvalidParameter'],
    [{ merchantBizId: 'x'.repeat(33) }, 'InvalidParameter'],
    [{ transactionId: 'with-hyphen' }, 'TransactionIdInvalid'],
    [{ transactionId: '测试' }, 'TransactionIdInvalid'],
  ])('%j is rejected with %s', (changes, code) => {
    expect(verify(signed(changes))).toEqual(refused(400, code))
  })

  test('are required', () => {
    expect(verify(signedWith({}, {}))).toEqual(refused(400, 'MissingParameter'))
  })

  test('are checked only after the signature', () => {
    const call = signed({ transactionId: '', credentials: { ...KEY, accessKeySecret: 'other' } })
    expect(verify(call)).toEqual(refused(400, 'SignatureDoesNotMatch'))
  })
})
