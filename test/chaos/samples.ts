/** Samples the memory and descriptors of a process during a long run and measures their growth. */
import { setTimeout as delay } from 'node:timers/promises'
import { descriptorsOf, usageOf } from '../../dev/harness/usage.ts'

export interface Sample {
  readonly memoryMb: number
  readonly descriptors: number
}

export interface Growth {
  /** Means over the second and the last fifth of the samples. The first fifth is the warm-up. */
  readonly memoryMb: readonly [early: number, late: number]
  /** Maxima over the second and the last fifth. */
  readonly descriptors: readonly [early: number, late: number]
}

const EVERY_MS = 500
const PARTS = 5

/** Samples until stopped. The returned function stops and returns the samples. */
export function startSampling(pid: number): { stop(): Promise<readonly Sample[]> } {
  const state = { stopped: false }
  const sampling = sample(pid, state)
  return {
    stop: () => {
      state.stopped = true
      return sampling
    },
  }
}

async function sample(pid: number, state: { stopped: boolean }): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  while (!state.stopped) {
    samples.push({ memoryMb: usageOf(pid).memoryMb, descriptors: descriptorsOf(pid) })
    await delay(EVERY_MS)
  }
  return samples
}

export function growthOf(samples: readonly Sample[]): Growth {
  const part = Math.floor(samples.length / PARTS)
  if (part === 0) throw new Error(`${samples.length} samples are too few to measure growth.`)
  const early = samples.slice(part, 2 * part)
  const late = samples.slice(-part)
  const mean = (some: readonly Sample[]): number =>
    some.reduce((sum, { memoryMb }) => sum + memoryMb, 0) / some.length
  const max = (some: readonly Sample[]): number => Math.max(...some.map(({ descriptors }) => descriptors))
  return { memoryMb: [mean(early), mean(late)], descriptors: [max(early), max(late)] }
}
