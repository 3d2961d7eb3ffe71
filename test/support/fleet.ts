/** Replicas as processes, in numbers: who ended without being told to, and what each has logged. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MAIN, type Env } from '../../dev/harness/commands.ts'
import { startServiceProcess, type ServiceProcess } from '../../dev/harness/service.ts'

export interface Replica extends ServiceProcess {
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  /** SIGTERM, and waits for the end; rejects when the exit code says it was no orderly one. */
  end(): Promise<void>
}

export interface FleetOptions {
  /** Where each replica's log is written when it ends, if anywhere, and what its name begins with. */
  readonly logs: { readonly folder: string; readonly prefix: string } | null
}

export class Fleet {
  /** Those that are running. */
  readonly replicas = new Set<Replica>()
  /** Last lines of replicas that ended without being told to. */
  readonly deaths: string[] = []
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Resolves when it has an address, which is before it is ready. `nodeArgs` are Node's own options. */
  async start(env: Env, nodeArgs: readonly string[] = []): Promise<Replica> {
    const service = await startServiceProcess(env, [...nodeArgs, MAIN, 'run'])
    const replica: Replica = {
      ...service,
      kill: async () => {
        this.replicas.delete(replica)
        service.signal('SIGKILL')
        await service.exited
      },
      end: async () => {
        this.replicas.delete(replica)
        const code = await service.stop()
        if (code !== 0) throw new Error(`A replica ended with ${code}:\n${lastLines(service.output())}`)
      },
    }
    this.replicas.add(replica)
    void service.exited.then(() => {
      this.#keepLog(service)
      if (this.replicas.delete(replica)) this.deaths.push(lastLines(service.output()))
    })
    return replica
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.replicas].map(async (replica) => replica.kill()))
  }

  #keepLog({ pid, output }: ServiceProcess): void {
    const { logs } = this.#options
    if (logs === null) return
    mkdirSync(logs.folder, { recursive: true })
    writeFileSync(join(logs.folder, `${logs.prefix}.${pid}.log`), `${output()}\n`)
  }
}

function lastLines(output: string): string {
  return output.split('\n').slice(-3).join('\n')
}
