/** The health and metrics server without any problem, and HTTP requests such as probes and unrelated clients send. */
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { OpsOptions } from '../../src/ops/server.ts'

export const GOOD: OpsOptions = {
  host: '127.0.0.1',
  port: 0,
  health: { live: () => ({ ok: true, reasons: [] }), ready: () => ({ ok: true, reasons: [] }) },
  exposition: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
  status: () => ({ version: '1.2.3', 'circuit breaker': 'closed', 'calls in flight': 7 }),
}

export interface Got {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export function get(url: string, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (body += part))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

/** Sends these bytes and returns everything the server answers until it closes the connection. */
export function send(address: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => (received += part))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
  })
}
