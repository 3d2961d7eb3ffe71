import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EMPTY_BODY_HASH,
  canonicalQuery,
  canonicalRequest,
  percentEncode,
  sign,
  signCheckResult,
  type CheckResultRequest,
} from '../../../../src/adapters/alibaba/sign-v3.ts'

const HOST = 'cloudauth-intl.cn-hongkong.aliyuncs.com'
const KEY = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }

function call(changes: Partial<CheckResultRequest> = {}): CheckResultRequest {
  return {
    host: HOST,
    credentials: KEY,
    transactionId: 'hksb7ba1b28130d24e015d694361bee4',
    merchantBizId: 'e0c34a77f5ac40a5aa5e6ed20c350000',
    date: '2026-01-01T00:00:00Z',
    nonce: '0123456789abcdef0123456789abcdef',
    ...changes,
  }
}

/** The same call signed with the general algorithm: every `x-acs-*` header and the host, sorted. */
function signGenerally(query: string, { credentials, date, nonce }: CheckResultRequest) {
  return {
    method: 'POST',
    path: '/',
    query,
    headers: {
      host: HOST,
      'x-acs-action': 'CheckResult',
      'x-acs-version': '2022-08-09',
      'x-acs-date': date,
      'x-acs-signature-nonce': nonce,
      'x-acs-content-sha256': EMPTY_BODY_HASH,
      ...(credentials.securityToken === undefined
        ? {}
        : { 'x-acs-security-token': credentials.securityToken }),
    },
    bodyHash: EMPTY_BODY_HASH,
    secret: credentials.accessKeySecret,
  }
}

function runInstances(date: string, nonce: string) {
  return {
    method: 'POST',
    path: '/',
    query: canonicalQuery({
      RegionId: 'cn-shanghai',
      ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd',
    }),
    headers: {
      host: 'ecs.cn-shanghai.aliyuncs.com',
      'x-acs-action': 'RunInstances',
      'x-acs-version': '2014-05-26',
      'x-acs-date': date,
      'x-acs-signature-nonce': nonce,
      'x-acs-content-sha256': EMPTY_BODY_HASH,
    },
    bodyHash: EMPTY_BODY_HASH,
    secret: 'YourAccessKeySecret',
  }
}

describe("the vendor's test vectors", () => {
  test('RunInstances at 10:22:32 matches, including the hash of the canonical request', () => {
    const request = runInstances('2023-10-26T10:22:32Z', '3156853299f313e23d1673dc12e1703d')
    expect(hash('sha256', canonicalRequest(request).text, 'hex')).toBe(
      '7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259',
    )
    expect(sign(request)).toEqual({
      signedHeaders: 'host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version',
      signature: '06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
    })
  })

  test('RunInstances at 09:01:01 matches', () => {
    const request = runInstances('2023-10-26T09:01:01Z', 'd410180a5abf7fe235dd9b74aca91fc0')
    expect(sign(request).signature).toBe('e521358f7776c97df52e6b2891a8bc73026794a071b50c3323388c4e0df64804')
  })

  // The SDK's test signs a request without a method and path, and JavaScript writes the method as `undefined`.
  const unfinished = {
    method: 'undefined',
    path: '',
    bodyHash: '55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23',
    secret: 'secret',
  }

  test('the values of a repeated header are sorted and joined with a comma like in the SDK', () => {
    const query = canonicalQuery({ test: 'ok', empty: '' })
    expect(sign({ ...unfinished, query, headers: { 'x-acs-test': ['https', 'http'] } })).toEqual({
      signedHeaders: 'x-acs-test',
      signature: '0f2d549523cf082c83bb8135b5863614f7fe16ca7c2c7fc537e74d67374eeeac',
    })
  })

  test('an empty request is signed like in the SDK', () => {
    expect(sign({ ...unfinished, query: '', headers: {} })).toEqual({
      signedHeaders: '',
      signature: '608b887e491f3e88e85276b188a4d24e29230a559464685ccbf2dcc458e1fde8',
    })
  })
})

describe('the three CheckResult vectors', () => {
  test('A: permanent credentials match', () => {
    const { path, headers } = signCheckResult(call())
    expect(path).toBe(
      '/?IsReturnImage=N&MerchantBizId=e0c34a77f5ac40a5aa5e6ed20c350000&TransactionId=hksb7ba1b28130d24e015d694361bee4',
    )
    expect(headers).toEqual({
      host: HOST,
      accept: 'application/json',
      'x-acs-action': 'CheckResult',
      'x-acs-version': '2022-08-09',
      'x-acs-date': '2026-01-01T00:00:00Z',
      'x-acs-signature-nonce': '0123456789abcdef0123456789abcdef',
      'x-acs-content-sha256': EMPTY_BODY_HASH,
      authorization:
        'ACS3-HMAC-SHA256 Credential=testid,' +
        'SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,' +
        'Signature=d03694e2e54ae8d1092b199f7e99409764ff971283f0bbc8a170ea72b69b0a3e',
    })
  })

  test('A: the hash of the canonical request matches', () => {
    const { text } = canonicalRequest(signGenerally(signCheckResult(call()).path.slice(2), call()))
    expect(hash('sha256', text, 'hex')).toBe(
      '1bada745efd21fe4ea50013b5dbbcc63deb419f9f34d7fd5f1b2cbf1e0e4d434',
    )
  })

  // B and C lack IsReturnImage, which `signCheckResult` always sends.
  test('B: temporary credentials match, and their token is signed', () => {
    const request = call({ credentials: { ...KEY, securityToken: 'CAIStoken+/==' } })
    const query = canonicalQuery({
      TransactionId: request.transactionId,
      MerchantBizId: request.merchantBizId,
    })
    const { text } = canonicalRequest(signGenerally(query, request))
    expect(hash('sha256', text, 'hex')).toBe(
      'ca7ef3114f98504fc6d1058858ca75ff97fd2709d826fe5bbf719e2d72e81b47',
    )
    expect(sign(signGenerally(query, request)).signature).toBe(
      '74432946370b77dff3b01d0590432024015556e6ccf242fc407fa8c0e254918d',
    )
  })

  test('C: a parameter full of characters that need encoding matches', () => {
    const query = canonicalQuery({ TransactionId: 't', MerchantBizId: "a b*c~d+e/f=(é)!'" })
    expect(query).toBe('MerchantBizId=a%20b%2Ac~d%2Be%2Ff%3D%28%C3%A9%29%21%27&TransactionId=t')
    expect(sign(signGenerally(query, call())).signature).toBe(
      'a00a191c2b937a838fc56d8fc158736c229964449610c9832a1d445e1199ff34',
    )
  })
})

describe('the fast signature of CheckResult calls', () => {
  const well = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed())
  const header = fc.string({ minLength: 1 }).map((text) => text.replaceAll(/[^!-~]/g, '.'))

  test('equals the general signature for any ids, credentials and token', () => {
    fc.assert(
      fc.property(
        well,
        well,
        header,
        fc.option(header, { nil: undefined }),
        (transactionId, biz, key, token) => {
          const request = call({
            transactionId,
            merchantBizId: biz,
            credentials: { accessKeyId: key, accessKeySecret: key, securityToken: token },
          })
          const query = canonicalQuery({
            IsReturnImage: 'N',
            MerchantBizId: biz,
            TransactionId: transactionId,
          })
          const { path, headers } = signCheckResult(request)
          const { signedHeaders, signature } = sign(signGenerally(query, request))
          expect(path).toBe(`/?${query}`)
          expect(headers['x-acs-security-token']).toBe(token)
          expect(headers['authorization']).toBe(
            `ACS3-HMAC-SHA256 Credential=${key},SignedHeaders=${signedHeaders},Signature=${signature}`,
          )
        },
      ),
    )
  })

  test('covers the host and every x-acs header that is sent', () => {
    const { headers } = signCheckResult(call({ credentials: { ...KEY, securityToken: 'token' } }))
    const wanted = Object.keys(headers).filter((name) => name === 'host' || name.startsWith('x-acs-'))
    const [, signedHeaders] = /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '') ?? []
    expect(signedHeaders?.split(';')).toEqual(wanted.sort())
  })

  test('never exposes the secret', () => {
    const secret = 'notforanyonetosee'
    const sent = signCheckResult(call({ credentials: { accessKeyId: 'id', accessKeySecret: secret } }))
    expect(JSON.stringify(sent)).not.toContain(secret)
  })
})

describe('percent-encoding', () => {
  test('keeps the unreserved characters of RFC 3986', () => {
    expect(percentEncode('AZaz09-_.~')).toBe('AZaz09-_.~')
  })

  test('encodes characters that encodeURIComponent keeps', () => {
    expect(percentEncode("!'()*")).toBe('%21%27%28%29%2A')
  })

  test('encodes a space as %20 and a plus as %2B', () => {
    expect(percentEncode('a b+c')).toBe('a%20b%2Bc')
  })

  test('replaces lone surrogates instead of throwing', () => {
    expect(percentEncode('a\uD800b')).toBe('a%EF%BF%BDb')
  })

  test('is reversible and produces only unreserved characters and escapes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(text.isWellFormed())
        const encoded = percentEncode(text)
        expect(encoded).toMatch(/^(?:[\w.~-]|%[0-9A-F]{2})*$/)
        expect(decodeURIComponent(encoded)).toBe(text)
      }),
    )
  })

  test('sorts parameters by name, upper case first', () => {
    expect(canonicalQuery({ b: '2', a: '1', Z: '0', empty: '' })).toBe('Z=0&a=1&b=2&empty=')
  })
})

describe('canonical headers', () => {
  test('have trimmed values and sorted names', () => {
    const request = { method: 'GET', path: '/', query: '', headers: { b: ' 2\t', a: '1' }, bodyHash: 'h' }
    expect(canonicalRequest(request)).toEqual({ signedHeaders: 'a;b', text: 'GET\n/\n\na:1\nb:2\n\na;b\nh' })
  })

  test('do not reorder the input array', () => {
    const values = ['b', 'a']
    canonicalRequest({ method: 'GET', path: '/', query: '', headers: { x: values }, bodyHash: 'h' })
    expect(values).toEqual(['b', 'a'])
  })
})

test('the hash of an empty body is a constant', () => {
  expect(hash('sha256', '', 'hex')).toBe(EMPTY_BODY_HASH)
})
