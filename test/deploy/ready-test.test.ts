import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { pickPort } from '../../dev/stack/ports.ts'

const run = promisify(execFile)
const SCRIPT = readFileSync(
  new URL('../../helm/checkresult-stream/files/ready-test.mjs', import.meta.url),
  'utf8',
)

let close: (() => void) | undefined
afterEach(() => close?.())

/** Runs the script as the pod does, with a shorter timeout. */
async function readyTest(port: number): Promise<string> {
  const args = ['--input-type=module', '--eval', SCRIPT, `http://127.0.0.1:${port}`]
  const env = { ...process.env, READY_TIMEOUT_MS: '1500' }
  try {
    return (await run(process.execPath, args, { env })).stdout
  } catch (error) {
    return (error as { stderr: string }).stderr
  }
}

async function serve(answers: (path: string, count: number) => readonly [number, string]): Promise<number> {
  const port = await pickPort()
  let count = 0
  const server = createServer(({ url = '' }, response) => {
    const [status, body] = answers(url, count++)
    response.writeHead(status, { connection: 'close' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  close = () => server.close()
  return port
}

test('`helm test` waits until a pod is ready and reads its metrics', async () => {
  const port = await serve((path, count) => {
    if (path === '/metrics') return [200, 'checkresult_requests_in_flight 0\n']
    return count === 0 ? [503, 'not yet\n'] : [200, 'ok\n']
  })
  expect(await readyTest(port)).toBe('The service is ready and returns metrics.\n')
})

test('it prints what the service waits for', async () => {
  const port = await serve(() => [503, 'The topic verification.result is not there.\n'])
  expect(await readyTest(port)).toMatch(
    /^The service is not ready\. http:\/\/127\.0\.0\.1:\d+\/readyz answers: The topic verification\.result is not there\.$/m,
  )
})

test('it reports that nothing answers', async () => {
  expect(await readyTest(await pickPort())).toContain('/readyz answers: no answer (ECONNREFUSED)')
})
