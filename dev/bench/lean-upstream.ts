/**
 * The leanest server that looks like CheckResult: it splits requests without parsing them and sends the same answer
 * after a fixed delay. For benchmarks in which the simulator would be the bottleneck. Runs as a separate process and
 * prints its address.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { okBody } from '../../simulator/answers.ts'

const LATENCY_MS = Number(process.argv[2] ?? 20)
const END_OF_HEADERS = '\r\n\r\n'
const body = `{"RequestId":"0",${okBody({ passed: 'Y', subCode: '200', family: 'hkid2018', person: 1 })}`
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
)

function serve(socket: Socket): void {
  let tail = ''
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    const parts = (tail + chunk.toString('latin1')).split(END_OF_HEADERS)
    tail = parts.pop() ?? ''
    for (const _ of parts) setTimeout(() => socket.write(answer), LATENCY_MS)
  })
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
