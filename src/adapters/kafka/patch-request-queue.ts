/**
 * kafkajs re-arms a timer with a negative delay after every check of its request queue, pending or not: about a
 * thousand timers a second and connection, for ever (tulios/kafkajs #1704, #1751; fixes unmerged). Patched here: a timer
 * only while something is pending, for as long as the broker's throttling lasts.
 */
import { RequestQueueClass, type RequestQueue } from './internals.ts'

const CHECK_INTERVAL_MS = 10

export function patchRequestQueue(): void {
  RequestQueueClass.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
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
