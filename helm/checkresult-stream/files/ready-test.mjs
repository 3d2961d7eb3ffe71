// `helm test`: waits up to two minutes until a pod of the release is ready, then reads its metrics.
import { setTimeout as sleep } from 'node:timers/promises'

const [address] = process.argv.slice(1)
const deadline = Date.now() + Number(process.env.READY_TIMEOUT_MS ?? 120_000)

let answer = await ask('/readyz')
while (!answer.ok && Date.now() < deadline) {
  await sleep(1_000)
  answer = await ask('/readyz')
}
if (!answer.ok) fail(`The service is not ready. ${address}/readyz answers: ${answer.text.trim()}`)

const metrics = await ask('/metrics')
if (!metrics.ok || !metrics.text.includes('checkresult_'))
  fail(`${address}/metrics does not return metrics of the service. Check what listens there.`)
process.stdout.write('The service is ready and returns metrics.\n')

async function ask(path) {
  try {
    const response = await fetch(address + path, { signal: AbortSignal.timeout(5_000) })
    return { ok: response.ok, text: await response.text() }
  } catch (error) {
    return { ok: false, text: `no answer (${error.cause?.code ?? error.name})` }
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
