/** A client of Prometheus' HTTP API for rules, alerts and series. */

export type AlertState = 'inactive' | 'pending' | 'firing'

export interface Rule {
  /** The name of the alert or the recorded series. */
  readonly name: string
  readonly type: 'alerting' | 'recording'
  readonly query: string
  readonly health: 'ok' | 'err' | 'unknown'
  readonly lastError?: string
  /** The state of the worst of its alerts. Alerting rules only. */
  readonly state?: AlertState
}

export interface Range {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

interface Answer<T> {
  readonly status: string
  readonly data: T
  readonly error?: string
}

export class PrometheusApi {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.#ask<{ groups: readonly { rules: readonly Rule[] }[] }>('rules', {})
    return groups.flatMap(({ rules }) => rules)
  }

  /** The number of targets whose last scrape succeeded. */
  async healthyTargets(): Promise<number> {
    const { activeTargets } = await this.#ask<{ activeTargets: readonly { health: string }[] }>('targets', {})
    return activeTargets.filter(({ health }) => health === 'up').length
  }

  /** The number of series with at least one numeric value in the range. */
  async seriesWithData(query: string, { startMs, endMs, stepMs }: Range): Promise<number> {
    const parameters = { start: startMs / 1_000, end: endMs / 1_000, step: stepMs / 1_000 }
    const { result } = await this.#ask<{ result: readonly { values: readonly [number, string][] }[] }>(
      'query_range',
      { query, ...parameters },
    )
    return result.filter(({ values }) => values.some(([, value]) => value !== 'NaN')).length
  }

  async seriesNow(query: string): Promise<number> {
    const { result } = await this.#ask<{ result: readonly unknown[] }>('query', { query })
    return result.length
  }

  /** The values of a metric's label, like those that a dashboard variable offers. */
  async labelValues(label: string, selector: string): Promise<readonly string[]> {
    return this.#ask(`label/${label}/values`, { 'match[]': selector })
  }

  async #ask<T>(path: string, parameters: Readonly<Record<string, string | number>>): Promise<T> {
    const url = new URL(`/api/v1/${path}`, this.#url)
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value))
    const response = await fetch(url)
    const { status, data, error = '' } = (await response.json()) as Answer<T>
    if (status !== 'success') throw new Error(`Prometheus rejected ${path}: ${error}`)
    return data
  }
}
