/** Shows the service's progress until everything that was sent is settled. */
import { setTimeout as delay } from 'node:timers/promises'
import { readFigures, type Figures } from './figures.ts'
import type { Display } from './progress.ts'
import { QPS, type Started } from './start.ts'

export interface WatchOptions {
  readonly started: Started
  readonly display: Display
  readonly planned: number
  readonly sent: () => number
}

/** Longer than the longest delay of a deferred event. An event without an output by then is missing. */
const MAX_WAIT_MS = 45_000

/** Returns the last figures, either once all events are settled or after a time without progress. */
export async function watchUntilSettled({ started, display, planned, sent }: WatchOptions): Promise<Figures> {
  const { service, simulatorUrl } = started
  const startMs = performance.now()
  let changedMs = startMs
  let settled = -1
  try {
    for (;;) {
      const figures = await Promise.race([readFigures(service, simulatorUrl), endOf(started)])
      const nowMs = performance.now()
      display.show({
        planned,
        sent: sent(),
        seconds: (nowMs - startMs) / 1000,
        qps: QPS,
        figures,
      })
      const settledNow = figures.results + figures.deadLetters
      if (settledNow !== settled) changedMs = nowMs
      settled = settledNow
      if (settled >= planned || nowMs - changedMs > MAX_WAIT_MS) return figures
      await Promise.race([delay(display.intervalMs), endOf(started)])
    }
  } finally {
    display.end()
  }
}

async function endOf({ service }: Started): Promise<never> {
  const code = await service.exited
  const lastLines = service.output().split('\n').slice(-5).join('\n')
  throw new Error(`The service exited with code ${code}:\n${lastLines}`)
}
