/**
 * Child processes that cannot outlive this one. However this process ends (even by SIGKILL), the pipe to the child's
 * guard closes, and the guard kills the child and deletes its scratch folder.
 */
import { spawn, type ChildProcess, type StdioNull, type StdioPipe } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { StackError } from './stack-error.ts'

export interface LeashedCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Standard output and standard error are appended to this file. */
  readonly logFile: string
  /** Deleted if this process ends before the child does. */
  readonly scratchDir: string
}

export interface Leashed {
  readonly pid: number
  hasExited(): boolean
  /** Resolves with the exit code when the process is gone; null if a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>
  /** Sends the signal, and SIGKILL after a time, and waits until the process is gone. */
  stop(signal: NodeJS.Signals): Promise<void>
}

/**
 * The shell starts the guard and becomes the child (`exec`), so the child's pid is known and the child is never
 * without a guard. The guard waits on the pipe: a line means that the child is gone, the end of the pipe means that
 * this process is gone.
 */
const GUARD = `
scratch=$1; shift
{ read -r _ <&3 || { kill -KILL $$; rm -rf -- "$scratch"; }; } >/dev/null 2>&1 &
exec "$@" 3<&-`

const MAX_WAIT_MS = 20_000

export interface LeashOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Runs in its own session. */
  readonly detached?: boolean
  readonly stdin: StdioNull
  /** Targets of standard output and standard error; a number is an open file. */
  readonly output: StdioPipe | number
  /** Deleted if this process ends before the child does. */
  readonly scratchDir?: string
}

/** Like `spawn`, but the child is killed when this process is gone, even if it is stopped or busy. */
export function spawnOnLeash(command: string, args: readonly string[], options: LeashOptions): ChildProcess {
  const { stdin, output, scratchDir = '', ...others } = options
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', scratchDir, command, ...args], {
    ...others,
    stdio: [stdin, output, output, 'pipe'],
  })
  // Not the child's standard input: Node closes it when the child exits, and the guard would act on that.
  const guard = child.stdio[3] as Writable | undefined
  guard?.on('error', () => {}) // the guard may already be gone
  child.once('exit', () => guard?.end('\n'))
  return child
}

/**
 * Starts the command in its own session, so that Ctrl-C at the terminal reaches only this process, which then stops
 * the command in order.
 */
export function spawnLeashed({ command, args, cwd, logFile, scratchDir }: LeashedCommand): Leashed {
  const log = openSync(logFile, 'a')
  const child = spawnOnLeash(command, args, {
    cwd,
    detached: true,
    stdin: 'ignore',
    output: log,
    scratchDir,
  })
  closeSync(log)
  const exited = whenExited(child)
  if (child.pid === undefined) throw new StackError(`${command} cannot be started in ${cwd}.`)
  return {
    pid: child.pid,
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    exited,
    stop: async (signal) => {
      child.kill(signal)
      const tooLong = setTimeout(() => child.kill('SIGKILL'), MAX_WAIT_MS)
      await exited
      clearTimeout(tooLong)
    },
  }
}

function whenExited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.once('error', () => resolve(null))
  })
}
