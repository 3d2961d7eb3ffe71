/**
 * Fixes two timers of kafkajs that never stop. kafkajs re-arms a timer with a negative delay after every check of
 * its request queue, even if the queue is empty: about a thousand timers a second and connection (tulios/kafkajs
 * #1704, #1751; fixes unmerged). Patch: a timer only while requests are queued, for as long as the broker
 * throttles.
 *
 * It also looks for timed-out requests ten times a second on every connection; once a second is enough. Its wall
 * clock times out all pending requests if the clock is set forward, and it keeps using a connection that does not
 * answer. Patch: the monotonic clock, and the connection is closed together with the request.
 */
import { RequestQueueClass, type RequestQueue } from './internals.ts'

const CHECK_INTERVAL_MS = 10
const TIMEOUT_CHECK_INTERVAL_MS = 1_000

export function patchRequestQueue(): void {
  RequestQueueClass.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
  RequestQueueClass.prototype.scheduleRequestTimeoutCheck = scheduleRequestTimeoutCheck
}

function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return
  const throttledMs = this.throttledUntil - Date.now()
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttledMs > 0 ? throttledMs : CHECK_INTERVAL_MS,
  )
}

function scheduleRequestTimeoutCheck(this: RequestQueue): void {
  this.destroy()
  const seenMs = new WeakMap<object, number>()
  this.requestTimeoutIntervalId = setInterval(() => {
    const nowMs = performance.now()
    for (const request of this.inflight.values()) {
      const sinceMs = seenMs.get(request)
      if (sinceMs === undefined) seenMs.set(request, nowMs)
      else if (nowMs - sinceMs >= request.requestTimeout) {
        // Fails with a connection error, because after a timeout the library would ask the same silent broker three
        // more times.
        if (this.giveUp === undefined) request.timeoutRequest()
        else this.giveUp(sinceMs)
      }
    }
    if (!this.isConnected()) this.destroy()
  }, TIMEOUT_CHECK_INTERVAL_MS)
}
