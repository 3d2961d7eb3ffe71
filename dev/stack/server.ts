/**
 * One server program of the stack. It can be stopped and started again on the same port and data; a start waits until
 * it answers.
 */
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnLeashed, type Leashed, type LeashedCommand } from './leash.ts'
import { lastLines, readLog } from './log-file.ts'
import { StackError } from './stack-error.ts'

export interface ServerProgram extends LeashedCommand {
  /** Name in messages, for example "Kafka". */
  readonly name: string
  /**
   * The log line that the program writes once it listens. An answer alone could come from another program that took
   * the port first.
   */
  readonly listening: RegExp
  /** Rejects until the server answers. */
  readonly probe: () => Promise<void>
  /** Called if the server ends without having been stopped. */
  readonly onCrash: (message: string) => void
}

/** Another process took the port between its choice and the start. The caller can try again with other ports. */
export class PortTakenError extends StackError {}

const PORT_TAKEN = /address already in use|seems to be in use/i
const START_TIMEOUT_MS = 90_000
const POLL_MS = 50

export class Server {
  readonly #program: ServerProgram
  #process: Leashed | undefined

  constructor(program: ServerProgram) {
    this.#program = program
  }

  get logFile(): string {
    return this.#program.logFile
  }

  /** Undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Resolves when it answers. Throws a StackError with the end of the log if it does not start. */
  async start(): Promise<void> {
    if (this.#process !== undefined) throw new Error(`${this.#program.name} is already running.`)
    const logStart = await sizeOf(this.logFile)
    const child = spawnLeashed(this.#program)
    this.#process = child
    try {
      await this.#answers(child, logStart)
    } catch (error) {
      await this.stop('SIGKILL')
      throw error
    }
    // Only now: an end during the start is an error of the start.
    void child.exited.then(async () => this.#noticeExit(child))
  }

  /** Resolves when the process is gone. Does nothing if it is not running. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    await child?.stop(signal)
  }

  async #answers(child: Leashed, logStart: number): Promise<void> {
    const { name, listening, probe } = this.#program
    const deadline = Date.now() + START_TIMEOUT_MS
    while (Date.now() < deadline) {
      const log = await readLog(this.logFile, logStart)
      if (child.hasExited()) {
        const Problem = PORT_TAKEN.test(log) ? PortTakenError : StackError
        throw new Problem(
          `${name} ended while it was starting. The end of its log:\n${await lastLines(this.logFile)}`,
        )
      }
      if (listening.test(log) && (await succeeds(probe))) return
      await sleep(POLL_MS)
    }
    const seconds = START_TIMEOUT_MS / 1000
    throw new StackError(
      `${name} does not answer after ${seconds} s. The end of its log:\n${await lastLines(this.logFile)}`,
    )
  }

  async #noticeExit(child: Leashed): Promise<void> {
    if (this.#process !== child) return
    this.#program.onCrash(
      `${this.#program.name} ended by itself. The end of its log:\n${await lastLines(this.logFile)}`,
    )
  }
}

async function succeeds(probe: () => Promise<void>): Promise<boolean> {
  try {
    await probe()
    return true
  } catch {
    return false
  }
}

async function sizeOf(file: string): Promise<number> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.size ?? 0
}
