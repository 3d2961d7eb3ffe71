/** A set of replica processes. Records those that ended unexpectedly and the log of each. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MAIN, type Env } from '../../dev/harness/commands.ts'
import { startServiceProcess, type ServiceProcess } from '../../dev/harness/service.ts'

export interface Replica extends ServiceProcess {
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
  /** Sends SIGTERM and waits for the end. Rejects if the exit code is not 0. */
  end(): Promise<void>
}

export interface FleetOptions {
  /** Folder for the log of each replica, written when it ends, and the beginning of its file name. */
  readonly logs: { readonly folder: string; readonly prefix: string } | null
}

export class Fleet {
  /** The running replicas. */
  readonly replicas = new Set<Replica>()
  /** Last log lines of replicas that ended unexpectedly. */
  readonly deaths: string[] = []
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** Resolves when the replica listens, which is before it is ready. `nodeArgs`: Node's own options. */
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
        if (code !== 0) throw new Error(`A replica exited with code ${code}:\n${lastLines(service.output())}`)
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
