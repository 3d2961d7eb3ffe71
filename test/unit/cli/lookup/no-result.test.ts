import { describe, expect, test } from 'vitest'
import { noResultLines, type NoResult } from '../../../../src/cli/lookup/no-result.ts'
import { NO_ANSWER, type Reply } from '../../../../src/core/calls/answer.ts'
import { classify } from '../../../../src/core/calls/classify.ts'

function answer(code: string, status: number, requestId: string | null = null): Reply {
  return { kind: 'answer', status, code, requestId, retryAfterMs: null, answer: null }
}

function linesFor(reply: Reply): string[] {
  const outcome = classify(reply)
  if (outcome.kind === 'final') throw new Error('The reply has a result.')
  return noResultLines(outcome satisfies NoResult, reply)
}

describe('the output for a call without a result', () => {
  test('has reason, code, meaning and advice in the rows of "dlq show"', () => {
    expect(linesFor(answer('ProcessNotCompleted', 404, '0F1E-2D3C'))).toEqual([
      'No result.',
      'reason       not-completed',
      'code         ProcessNotCompleted',
      'HTTP status  404',
      'request id   0F1E-2D3C',
      'message      The customer has not completed the verification yet.',
      'what to do   Try again later. The service retries such an event on the retry topics until DEFER_MAX_AGE.',
    ])
  })

  test('omits the HTTP status and request id if there are none', () => {
    const lines = linesFor({ kind: 'no-answer', failure: 'dns', status: null, retryAfterMs: null })
    expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual([
      'No result.',
      'reason',
      'code',
      'message',
      'what to do',
    ])
    expect(lines[3]).toContain('CHECKRESULT_ENDPOINT cannot be resolved')
  })

  test.each([
    ['TransactionIdInvalid', 400, 'rejected', '30 days'],
    ['InvalidParameter.Some', 400, 'rejected', 'Check both ids'],
    ['Throttling.User', 400, 'throttled', 'Try again in a few seconds'],
    ['InvalidAccessKeyId.NotFound', 404, 'credentials', 'config check'],
    ['Forbidden.AccountAccessDenied', 403, 'account', 'balance'],
    ['InvalidTimeStamp.Expired', 400, 'clock', 'NTP'],
    ['NeverSeenBefore', 400, 'refused', "vendor's documentation"],
    ['Success', 200, 'unreadable-answer', 'request id'],
    ['InternalError', 500, 'unavailable', 'Try again'],
    ['', 502, 'unavailable', 'Try again'],
    ['constructor', 400, 'refused', "vendor's documentation"],
  ])('shows for the code %j and HTTP %d the reason %s and advice', (code, status, reason, advice) => {
    const text = linesFor(answer(code, status)).join('\n')
    expect(text).toMatch(new RegExp(`^reason +${reason}$`, 'm'))
    expect(text).toMatch(new RegExp(`^what to do +.*${advice}`, 'm'))
  })

  test.each(NO_ANSWER)('contains advice for the failure %s', (failure) => {
    const text = linesFor({ kind: 'no-answer', failure, status: null, retryAfterMs: null }).join('\n')
    expect(text).toMatch(new RegExp(`^code +${failure}$`, 'm'))
    expect(text).not.toContain('Look the code up')
  })

  test('omits a code that is not a short word, because it may contain any text', () => {
    expect(linesFor(answer('<name>虚构人</name>', 400)).join('\n')).toMatch(/^code +unprintable$/m)
  })
})
