import { createServer } from 'node:http'
import { once } from 'node:events'
import { test, onTestFinished } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { startRun } from '../support/run.ts'
import { okBody } from '../../src/simulator/answers.ts'

test.each([1, 2, 3])('arrivals %s', async () => {
  const at: number[] = []
  const server = createServer((q, r) => {
    at.push(performance.now())
    q.resume()
    r.setHeader('content-type', 'application/json')
    r.end(`{"RequestId":"X",${okBody({ passed: 'Y', subCode: '200', family: 'passport', person: 1 })}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const run = await startRun({
    endpoint: `http://127.0.0.1:${(server.address() as any).port}`,
    settings: { CHECKRESULT_QPS: '20' },
  })
  onTestFinished(run.close)
  onTestFinished(() => void server.close())
  const sent = await run.send(
    Array.from({ length: 100 }, (_, number) => ({
      value: run.encode(eventFor({ name: 'passpassport', docType: null }, number)),
    })),
  )
  await run.startReplica()
  await run.untilOut(sent)
  const gaps = at.map((t, i) => Math.round((t - (at[i - 20] ?? NaN)) * 10) / 10)
  process.stdout.write(JSON.stringify({ first: at.slice(0, 25).map((t) => Math.round(t - (at[0] ?? 0))), gaps: gaps.slice(20), span: (at.at(-1)??0) - (at[0]??0) }) + '\n')
})
