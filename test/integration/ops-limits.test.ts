import { expect, onTestFinished, test } from 'vitest'
import { startOps } from '../../src/ops/server.ts'
import { get, GOOD, send } from '../support/ops.ts'

test('connections above the limit are refused, and slow requests are cut off', async () => {
  const ops = await startOps(GOOD)
  onTestFinished(() => ops.close())
  const { address } = ops
  const dawdling = Array.from({ length: 64 }, () => send(address, 'GET /livez HTTP/1.1\r\n'))
  const refused = { code: 'ECONNRESET' }
  await expect
    .poll(async () => get(`${address}/livez`).catch((error: unknown) => error), { timeout: 4_000 })
    .toMatchObject(refused)
  for (const received of await Promise.all(dawdling)) expect(received).toMatch(/^HTTP\/1\.1 408 /)
  expect(await get(`${address}/livez`)).toMatchObject({ status: 200 })
})
