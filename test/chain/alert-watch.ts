/** Records for every alert when it started and stopped firing, over the whole run. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AlertState, PrometheusApi, Rule } from './prometheus-api.ts'
import { until } from '../support/until.ts'

interface Change {
  readonly atMs: number
  readonly name: string
  readonly state: AlertState
}

const POLL_MS = 200

export class AlertWatch {
  readonly #api: Pick<PrometheusApi, 'rules'>
  readonly #startMs = performance.now()
  readonly #states = new Map<string, AlertState>()
  readonly #changes: Change[] = []
  #running: Promise<void> | null = null
  #failure: unknown = null
  #stopped = false

  constructor(api: Pick<PrometheusApi, 'rules'>) {
    this.#api = api
  }

  start(): void {
    this.#running = this.#watch().catch((error: unknown) => {
      this.#failure = error
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  /** Throws if Prometheus stopped answering. */
  get firing(): readonly string[] {
    if (this.#failure !== null) throw this.#failure
    return [...this.#states].filter(([, state]) => state === 'firing').map(([name]) => name)
  }

  /** Those of the names that have not started firing since then. */
  silent(names: readonly string[], sinceMs: number): readonly string[] {
    if (this.#failure !== null) throw this.#failure
    return names.filter((name) => !this.#firedSince(name, sinceMs))
  }

  /** Names of the firing alerts. */
  stillFiring(names: readonly string[]): readonly string[] {
    return names.filter((name) => this.firing.includes(name))
  }

  /** Resolves when nothing has fired for this long. */
  async untilQuiet(quietMs: number, timeoutMs: number): Promise<void> {
    let firedMs = performance.now()
    await until(
      () => {
        const nowMs = performance.now()
        if (this.firing.length > 0) firedMs = nowMs
        return nowMs - firedMs >= quietMs
      },
      { what: () => `${this.firing.join(', ')} fired although no fault was injected`, timeoutMs },
    )
  }

  /** One line per change: when which alert started or stopped firing. */
  story(): string {
    return this.#changes
      .map(
        ({ atMs, name, state }) =>
          `${((atMs - this.#startMs) / 1_000).toFixed(1).padStart(6)} s  ${name} ${state}`,
      )
      .join('\n')
  }

  #firedSince(name: string, sinceMs: number): boolean {
    return this.#changes.some((one) => one.name === name && one.state === 'firing' && one.atMs >= sinceMs)
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      this.#note(worstByName(await this.#api.rules()))
      await delay(POLL_MS)
    }
  }

  #note(states: ReadonlyMap<string, AlertState>): void {
    for (const [name, state] of states) {
      const before = this.#states.get(name) ?? 'inactive'
      if (state !== before) this.#changes.push({ atMs: performance.now(), name, state })
      this.#states.set(name, state)
    }
  }
}

const STATES = ['inactive', 'pending', 'firing'] as const

/** Several rules may share a name. The name has the state of the worst one. */
function worstByName(rules: readonly Rule[]): Map<string, AlertState> {
  const worst = new Map<string, AlertState>()
  for (const { name, type, state = 'inactive' } of rules) {
    if (type !== 'alerting') continue
    const other = worst.get(name) ?? 'inactive'
    worst.set(name, STATES.indexOf(state) > STATES.indexOf(other) ? state : other)
  }
  return worst
}
