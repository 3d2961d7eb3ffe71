/**
 * Counters, histograms and gauges with fixed label sets. Every series starts at 0. A value outside its label set,
 * or a negative or non-finite amount, is ignored instead of throwing into the pipeline. Gauges are read at each
 * scrape.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

const PREFIX = 'checkresult_'

/** Each label's name and all its possible values. */
export type LabelSets = Readonly<Record<string, readonly string[]>>

/** `values` are the label values, in the order of the declared label set. */
export type Count = (values: readonly string[], by?: number) => void
export type Observe = (values: readonly string[], amount: number) => void

/** The current series of a gauge. */
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
      // Amounts are added up here and passed on at the scrape, because `inc` creates an object and a label text per
      // call.
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
