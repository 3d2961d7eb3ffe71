/**
 * Two timers of kafkajs that never rest. It re-arms a timer with a negative delay after every check of its request queue, pending or not: about a
 * thousand timers a second and connection, for ever (tulios/kafkajs #1704, #1751; fixes unmerged). Patched here: a timer
 * only while something is pending, for as long as the broker's throttling lasts. And it looks for timed-out requests ten
 * times a second on every connection, of which a lane has one: once a second is often enough for time-outs of many.
 *
 * It goes by the wall clock there, which when put forward times out all that is under way, and goes on using a connection
 * that does not answer: here time is counted on the monotonic clock, and the connection ends with the request.
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
        // With a connection error: after a time-out the library would ask the same silent broker again, three times.
        if (this.giveUp === undefined) request.timeoutRequest()
        else this.giveUp(sinceMs)
      }
    }
    if (!this.isConnected()) this.destroy()
  }, TIMEOUT_CHECK_INTERVAL_MS)
}
