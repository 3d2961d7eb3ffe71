/**
 * Runs the service under test with the memory of a container. Reads its counters and memory, and searches its log and
 * pages for personal data.
 */
import type { Env } from '../../dev/harness/commands.ts'
import { metricSum, SERVICE, startServiceProcess, type ServiceProcess } from '../../dev/harness/service.ts'
import { FEW_ARENAS, SMALL_HEAP } from '../../dev/harness/small-heap.ts'
import { usageOf } from '../../dev/harness/usage.ts'
import { CANARY } from './events.ts'

export interface ServiceWatch {
  /** Number of records counted as skipped: repeated and foreign ones. */
  skipped(): number
  /** Reads counters, memory and pages. Keeps the last values if the service has ended. */
  look(): Promise<void>
  /** Null while the service runs. */
  readonly exitCode: number | null | undefined
  restart(): Promise<void>
  /** Sends SIGTERM and returns the exit code. Null if the service had to be killed. */
  stop(): Promise<number | null>
  readonly peakMemoryMb: number
  readonly logLines: number
  readonly leaks: ReadonlySet<string>
  output(): string
}

/** The memory limit of the container in the chart. */
export const MAX_MEMORY_MB = 256

const PAGES = ['/metrics', '/readyz', '/livez', '/'] as const
const STOP_WITHIN_MS = 30_000
const MAX_LEAKS = 20

/** `skips`: names of the metrics that count records without an output. */
export async function watchService(env: Env, skips: readonly string[]): Promise<ServiceWatch> {
  const watch = new Watch(env, skips)
  await watch.restart()
  return watch
}

class Watch implements ServiceWatch {
  readonly #env: Env
  readonly #skips: readonly string[]
  #service: ServiceProcess | null = null
  #skippedBefore = 0
  #skippedNow = 0
  #outputBefore = ''
  exitCode: number | null | undefined = null
  peakMemoryMb = 0
  readonly leaks = new Set<string>()

  constructor(env: Env, skips: readonly string[]) {
    this.#env = env
    this.#skips = skips
  }

  get logLines(): number {
    return this.output().split('\n').length
  }

  skipped(): number {
    return this.#skippedBefore + this.#skippedNow
  }

  output(): string {
    return this.#outputBefore + (this.#service?.output() ?? '')
  }

  async restart(): Promise<void> {
    this.#skippedBefore += this.#skippedNow
    this.#skippedNow = 0
    this.#outputBefore = this.output()
    const service = await startServiceProcess(this.#env, [...SMALL_HEAP, ...SERVICE])
    this.#service = service
    this.exitCode = null
    void service.exited.then((code) => {
      if (this.#service === service) this.exitCode = code ?? undefined
    })
    await service.ready()
  }

  async look(): Promise<void> {
    const service = this.#service
    if (service === null || this.exitCode !== null) return
    try {
      this.peakMemoryMb = Math.max(this.peakMemoryMb, usageOf(service.pid).peakMemoryMb)
      for (const page of PAGES) {
        const text = await (await fetch(service.opsUrl + page)).text()
        this.#search(page, text)
        if (page === '/metrics')
          this.#skippedNow = this.#skips.reduce((sum, name) => sum + metricSum(text, name), 0)
      }
    } catch {
      // The service may have ended.
    }
  }

  async stop(): Promise<number | null> {
    const service = this.#service
    if (service === null) return null
    await this.look()
    const tooLong = setTimeout(() => service.signal('SIGKILL'), STOP_WITHIN_MS)
    const code = await service.stop()
    clearTimeout(tooLong)
    this.#search('log', service.output())
    return code
  }

  #search(where: string, text: string): void {
    if (!text.toLowerCase().includes(CANARY)) return
    for (const line of text.split('\n')) {
      if (this.leaks.size >= MAX_LEAKS) return
      if (line.toLowerCase().includes(CANARY)) this.leaks.add(`${where}: ${line.slice(0, 400)}`)
    }
  }
}

export function containerEnv(env: Env): Env {
  return { ...env, ...FEW_ARENAS }
}
