/**
 * Counters, histograms and gauges over closed label sets: every series stands at 0 from the start, and a value outside
 * its set, or one that is no amount, counts as nothing instead of throwing into the pipeline. Gauges are read when they
 * are scraped.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const PREFIX = 'checkresult_'

/** Each label's name and all its values. */
export type LabelSets = Readonly<Record<string, readonly string[]>>

/** `values` are the labels' values, in the order of the set they were declared with. */
export type Count = (values: readonly string[], by?: number) => void
export type Observe = (values: readonly string[], amount: number) => void

/** A gauge's series as of now. */
export type Series = readonly (readonly [values: readonly string[], amount: number])[]

export class Instruments {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  counter(name: string, help: string, sets: LabelSets): Count {
    const series = new Map(combinations(sets).map((values) => [key(values), { values, added: 0 }]))
    const counter = new Counter({
      ...this.#settings(name, help, Object.keys(sets)),
      // Counted here and handed over when it is scraped: `inc` makes an object and a text of the labels each time.
      collect: () => {
        for (const one of series.values()) {
          counter.labels(...one.values).inc(one.added)
          one.added = 0
        }
      },
    })
    return (values, by = 1) => {
      const one = series.get(key(values))
      if (one !== undefined && isAmount(by)) one.added += by
    }
  }

  histogram(name: string, help: string, buckets: readonly number[], sets: LabelSets): Observe {
    const labelNames = Object.keys(sets)
    const histogram = new Histogram({ ...this.#settings(name, help, labelNames), buckets: [...buckets] })
    for (const values of combinations(sets)) histogram.zero(labeled(labelNames, values))
    const children = new Map(combinations(sets).map((values) => [key(values), histogram.labels(...values)]))
    return (values, amount) => {
      if (isAmount(amount)) children.get(key(values))?.observe(amount)
    }
  }

  gauge(name: string, help: string, labelNames: readonly string[], read: () => Series): void {
    const gauge = new Gauge({
      ...this.#settings(name, help, labelNames),
      collect: () => {
        gauge.reset()
        for (const [values, amount] of read()) gauge.set(labeled(labelNames, values), amount)
      },
    })
  }

  #settings(name: string, help: string, labelNames: readonly string[]) {
    return { name: PREFIX + name, help, labelNames: [...labelNames], registers: [this.#registry] }
  }
}

function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0
}

function key(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : values.join('|')
}

function labeled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']))
}

function combinations(sets: LabelSets): string[][] {
  return Object.values(sets).reduce<string[][]>(
    (all, set) => all.flatMap((values) => set.map((value) => [...values, value])),
    [[]],
  )
}
