/** Answers of the API and of servers in front of it, chosen by the prefix of the transaction id. */
import type { Response } from '../../simulator/scenarios.ts'

type Answer = Response | ((call: number) => Response | null)

export function raw(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return { kind: 'raw', status, body, headers }
}

/** A rejection in the vendor's format. */
export function refusal(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return raw(status, JSON.stringify({ RequestId: 'R', Code: code, Message: 'Refused.' }), headers)
}

/** A page of a proxy or a firewall. */
export function page(status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return raw(status, `<html><body>${status}</body></html>`, { 'content-type': 'text/html', ...headers })
}

export function success(result: unknown): Response {
  return raw(200, JSON.stringify({ RequestId: 'R', Code: 'Success', Message: 'success', Result: result }))
}

/** This answer for the first call, then the normal one. */
export function once(response: Response): Answer {
  return (call) => (call === 1 ? response : null)
}

/** For the simulator's `respond`: the first matching prefix counts. Other ids use their scenario. */
export function answering(
  answers: Readonly<Record<string, Answer>>,
): (transactionId: string, call: number) => Response | null {
  return (transactionId, call) => {
    const name = Object.keys(answers).find((one) => transactionId.startsWith(one))
    const answer = name === undefined ? undefined : answers[name]
    return typeof answer === 'function' ? answer(call) : (answer ?? null)
  }
}
