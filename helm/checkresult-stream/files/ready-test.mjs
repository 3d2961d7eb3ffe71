// `helm test`: asks a pod of the release whether it is ready, for up to two minutes, then for its metrics.
import { setTimeout as sleep } from 'node:timers/promises'

const [address] = process.argv.slice(1)
const deadline = Date.now() + Number(process.env.PATIENCE_MS ?? 120_000)

let answer = await ask('/readyz')
while (!answer.ok && Date.now() < deadline) {
  await sleep(1_000)
  answer = await ask('/readyz')
}
if (!answer.ok) fail(`${address}/readyz says: ${answer.text.trim()}`)

const metrics = await ask('/metrics')
if (!metrics.ok || !metrics.text.includes('checkresult_'))
  fail(`${address}/metrics has no metrics of the service.`)
process.stdout.write('The service is ready, and its metrics can be read.\n')

async function ask(path) {
  try {
    const response = await fetch(address + path, { signal: AbortSignal.timeout(5_000) })
    return { ok: response.ok, text: await response.text() }
  } catch (error) {
    return { ok: false, text: `nothing answers (${error.cause?.code ?? error.name})` }
  }
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
