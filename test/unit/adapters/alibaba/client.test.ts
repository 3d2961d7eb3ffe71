import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createCheckResultClient, type ClientOptions } from '../../../../src/adapters/alibaba/client.ts'
import type { Reply } from '../../../../src/core/calls/answer.ts'
import { handingOut } from '../../../support/credentials.ts'

const IDS = { transactionId: 'hkstest1', merchantBizId: 'biz1' }
const KEY = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }
/** Timeouts for a server that responds and for one that does not. */
const LONG_TIMEOUT_MS = 10_000
const TIMEOUT_MS = 150
/** Also on a busy machine. */
const ENOUGH_FOR_HEADERS_MS = 2_000
const PASSED = JSON.stringify({ RequestId: 'r1', Code: 'Success', Result: { Passed: 'Y', SubCode: '200' } })

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await new Promise((resolve) => void server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function clientFor(endpoint: string, changes: Partial<ClientOptions> = {}) {
  const client = createCheckResultClient({
    endpoint,
    credentials: handingOut(() => KEY),
    timeoutMs: LONG_TIMEOUT_MS,
    ...changes,
  })
  closing.push(() => client.close())
  return client
}

/** One call to a server with this response. */
async function ask(answer: RequestListener, changes: Partial<ClientOptions> = {}): Promise<Reply> {
  const { timeoutMs = LONG_TIMEOUT_MS } = changes
  return clientFor(await listen(createServer(answer)), changes).check(IDS, timeoutMs)
}

describe('a call', () => {
  test('is a signed POST with its parameters in the query and no body', async () => {
    const seen: IncomingMessage[] = []
    await ask((request, response) => {
      seen.push(request)
      response.end(PASSED)
    })
    const [{ method, url, headers } = {}] = seen
    expect([method, url]).toEqual(['POST', '/?IsReturnImage=N&MerchantBizId=biz1&TransactionId=hkstest1'])
    expect(headers).toMatchObject({
      accept: 'application/json',
      'x-acs-action': 'CheckResult',
      'x-acs-version': '2022-08-09',
      'content-length': '0',
    })
    expect(headers?.authorization).toMatch(/^ACS3-HMAC-SHA256 Credential=testid,/)
    expect(Math.abs(Date.parse(String(headers?.['x-acs-date'])) - Date.now())).toBeLessThan(5_000)
  })

  test('has a new nonce each time, even on the same connection', async () => {
    const nonces = new Set<unknown>()
    const ports = new Set<unknown>()
    const endpoint = await listen(
      createServer((request, response) => {
        nonces.add(request.headers['x-acs-signature-nonce'])
        ports.add(request.socket.remotePort)
        response.end(PASSED)
      }),
    )
    const { check } = clientFor(endpoint)
    for (let calls = 0; calls < 5; calls += 1) await check(IDS, LONG_TIMEOUT_MS)
    expect([nonces.size, ports.size]).toEqual([5, 1])
  })

  test('returns the answer with its status and code', async () => {
    expect(await ask((_, response) => response.end(PASSED))).toMatchObject({
      kind: 'answer',
      status: 200,
      code: 'Success',
      requestId: 'r1',
      retryAfterMs: null,
      answer: { passed: 'Y', subCode: '200' },
    })
  })

  test('gets the credentials each time and sends the token of temporary ones', async () => {
    const tokens: unknown[] = []
    const endpoint = await listen(
      createServer((request, response) => {
        tokens.push(request.headers['x-acs-security-token'])
        response.end(PASSED)
      }),
    )
    let renewals = 0
    const credentials = handingOut(() =>
      Promise.resolve({ ...KEY, securityToken: `token${(renewals += 1)}` }),
    )
    const { check } = clientFor(endpoint, { credentials })
    await check(IDS, LONG_TIMEOUT_MS)
    await check(IDS, LONG_TIMEOUT_MS)
    expect(tokens).toEqual(['token1', 'token2'])
  })
})

describe('an error response', () => {
  test('an error with a JSON body is an answer', async () => {
    const reply = await ask((_, response) => {
      response.statusCode = 404
      response.end(JSON.stringify({ RequestId: 'r2', Code: 'ProcessNotCompleted' }))
    })
    expect(reply).toMatchObject({ kind: 'answer', status: 404, code: 'ProcessNotCompleted', answer: null })
  })

  test.each([
    ['1500', 1_500],
    ['0', 100],
    ['soon', null],
    ['-5', null],
    ['99999999999', 60_000],
  ])('an error with x-acs-retry-after %s has a retry hint of %s ms', async (value, retryAfterMs) => {
    const reply = await ask((_, response) => {
      response.writeHead(400, { 'x-acs-retry-after': value })
      response.end(JSON.stringify({ Code: 'Throttling.User' }))
    })
    expect(reply).toMatchObject({ kind: 'answer', status: 400, retryAfterMs })
  })

  test('an error in XML has the code of the document', async () => {
    const reply = await ask((_, response) => {
      response.statusCode = 400
      response.end('<?xml version="1.0"?><Error><RequestId>r</RequestId><Code>Throttling.User</Code></Error>')
    })
    expect(reply).toMatchObject({ kind: 'answer', status: 400, code: 'Throttling.User', answer: null })
  })

  test('an error without JSON has a retry hint', async () => {
    const reply = await ask((_, response) => {
      response.writeHead(503, { 'retry-after': '7' })
      response.end('<html></html>')
    })
    expect(reply).toEqual({ kind: 'no-answer', failure: 'not-json', status: 503, retryAfterMs: 7_000 })
  })

  test.each([
    ['a proxy page', 502, '<html><body>502 Bad Gateway</body></html>'],
    ['XML without a code', 400, '<?xml version="1.0"?><Error><Message>no</Message></Error>'],
    ['nothing', 503, ''],
    ['half an answer', 200, PASSED.slice(0, 20)],
  ])('an error with %s instead of JSON is not an answer but has a status', async (_, status, body) => {
    const reply = await ask((__, response) => {
      response.statusCode = status
      response.end(body)
    })
    expect(reply).toEqual({ kind: 'no-answer', failure: 'not-json', status, retryAfterMs: null })
  })
})

async function refusalsAfter(status: number, code: string): Promise<number> {
  const credentials = handingOut(() => KEY)
  const endpoint = await listen(
    createServer((_, response) => {
      response.statusCode = status
      response.end(JSON.stringify({ Code: code }))
    }),
  )
  await clientFor(endpoint, { credentials }).check(IDS, LONG_TIMEOUT_MS)
  expect(credentials.refusals.every((one) => one === KEY)).toBe(true)
  return credentials.refusals.length
}

describe('credentials', () => {
  test.each([
    [404, 'InvalidAccessKeyId.NotFound'],
    [400, 'InvalidAccessKeyId.Inactive'],
    [400, 'InvalidSecurityToken.Expired'],
    [403, 'InvalidSecurityToken'],
    [400, 'MissingSecurityToken'],
    [400, 'SignatureDoesNotMatch'],
  ])('are reported to their provider as rejected: %i %s', async (status, code) => {
    expect(await refusalsAfter(status, code)).toBe(1)
  })

  test.each([
    [403, 'Forbidden.RAMUserAccessDenied'],
    [400, 'Throttling.User'],
    [404, 'ProcessNotCompleted'],
    [500, 'InternalError'],
    [200, 'Success'],
  ])('are not reported as rejected for other errors: %i %s', async (status, code) => {
    expect(await refusalsAfter(status, code)).toBe(0)
  })
})

describe('a call without an answer', () => {
  test('a call to a silent server ends after its timeout', async () => {
    const startedMs = performance.now()
    const reply = await ask(() => undefined, { timeoutMs: TIMEOUT_MS })
    expect(reply).toEqual({ kind: 'no-answer', failure: 'timeout', status: null, retryAfterMs: null })
    expect(performance.now() - startedMs).toBeLessThan(LONG_TIMEOUT_MS)
  })

  test('a call times out even if the server keeps sending single bytes', async () => {
    const startedMs = performance.now()
    const reply = await ask(
      (request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const drip = setInterval(() => response.write(' '), 5)
        request.socket.once('close', () => clearInterval(drip))
      },
      { timeoutMs: ENOUGH_FOR_HEADERS_MS },
    )
    expect(reply).toEqual({ kind: 'no-answer', failure: 'timeout', status: 200, retryAfterMs: null })
    expect(performance.now() - startedMs).toBeLessThan(LONG_TIMEOUT_MS)
  })

  test('is a reset if the connection broke before the response', async () => {
    const reply = await ask(({ socket }) => socket.resetAndDestroy())
    expect(reply).toEqual({ kind: 'no-answer', failure: 'reset', status: null, retryAfterMs: null })
  })

  test('is a reset with the status if the connection broke during the response', async () => {
    const reply = await ask((_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{', () => response.destroy())
    })
    expect(reply).toEqual({ kind: 'no-answer', failure: 'reset', status: 200, retryAfterMs: null })
  })

  test('is a network error if the response is not HTTP', async () => {
    const mail = createTcpServer((socket) => void socket.resume().end('220 mail.test ESMTP\r\n'))
    expect(await clientFor(await listen(mail)).check(IDS, LONG_TIMEOUT_MS)).toEqual({
      kind: 'no-answer',
      failure: 'network',
      status: null,
      retryAfterMs: null,
    })
  })

  test('is a TLS error if the handshake fails, because that affects every record', async () => {
    const plain = await listen(createServer((_, response) => response.end(PASSED)))
    expect(await clientFor(plain.replace('http:', 'https:')).check(IDS, LONG_TIMEOUT_MS)).toEqual({
      kind: 'no-answer',
      failure: 'tls',
      status: null,
      retryAfterMs: null,
    })
  })

  test('is a refused connection if nothing listens', async () => {
    const server = createTcpServer()
    const endpoint = await listen(server)
    await closing.pop()?.()
    expect(await clientFor(endpoint).check(IDS, LONG_TIMEOUT_MS)).toEqual({
      kind: 'no-answer',
      failure: 'connection-refused',
      status: null,
      retryAfterMs: null,
    })
  })

  test('is read to its limit if the response is too large, in one chunk or many', async () => {
    const megabytes = Buffer.alloc(4 * 1024 * 1024, ' ')
    for (const answer of [
      (response: Parameters<RequestListener>[1]) => response.end(megabytes),
      (response: Parameters<RequestListener>[1]) =>
        response.writeHead(200, { 'content-length': megabytes.length }).end(megabytes),
    ]) {
      const reply = await ask((_, response) => void answer(response))
      expect(reply).toMatchObject({ kind: 'no-answer', failure: 'too-large' })
    }
  })

  test('is made without credentials and gets the reason of their absence', async () => {
    let calls = 0
    const answer: RequestListener = (_, response) => void response.end(PASSED, () => (calls += 1))
    for (const credentials of [() => null, () => Promise.resolve(null)]) {
      expect(await ask(answer, { credentials: handingOut(credentials) })).toEqual({
        kind: 'no-answer',
        failure: 'no-credentials',
        status: null,
        retryAfterMs: null,
      })
    }
    expect(calls).toBe(0)
  })
})

test('a call after a failed call succeeds', async () => {
  let calls = 0
  const endpoint = await listen(
    createServer(({ socket }, response) => {
      calls += 1
      if (calls === 1) socket.resetAndDestroy()
      else if (calls > 2) response.end(PASSED)
    }),
  )
  const { check } = clientFor(endpoint)
  expect(await check(IDS, LONG_TIMEOUT_MS)).toMatchObject({ failure: 'reset' })
  expect(await check(IDS, TIMEOUT_MS)).toMatchObject({ failure: 'timeout' })
  expect(await check(IDS, LONG_TIMEOUT_MS)).toMatchObject({ kind: 'answer' })
})

test('concurrent calls do not wait for each other', async () => {
  const waiting: (() => void)[] = []
  const endpoint = await listen(
    createServer((_, response) => {
      waiting.push(() => response.end(PASSED))
      if (waiting.length === 20) for (const answer of waiting) answer()
    }),
  )
  const { check } = clientFor(endpoint)
  const replies = await Promise.all(Array.from({ length: 20 }, () => check(IDS, LONG_TIMEOUT_MS)))
  expect(replies.filter(({ kind }) => kind === 'answer')).toHaveLength(20)
})

test('a reply never contains the ids, credentials or URL', async () => {
  const endpoint = await listen(createServer(({ socket }) => socket.resetAndDestroy()))
  const reply = JSON.stringify(await clientFor(endpoint).check(IDS, LONG_TIMEOUT_MS))
  for (const secret of [IDS.transactionId, IDS.merchantBizId, 'testsecret', '127.0.0.1']) {
    expect(reply).not.toContain(secret)
  }
})
