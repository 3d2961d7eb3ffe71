/**
 * Child processes that cannot outlive this one. However this process ends (SIGKILL included), the pipe to the child's
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
  /** Standard output and standard error are appended to it. */
  readonly logFile: string
  /** Deleted when this process dies before the child does. */
  readonly scratchDir: string
}

export interface Leashed {
  readonly pid: number
  hasExited(): boolean
  /** Settles when the process is gone, with its exit code; null when a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>
  /** Sends the signal, and SIGKILL after a time, and waits until the process is gone. */
  stop(signal: NodeJS.Signals): Promise<void>
}

/**
 * The shell leaves the guard behind and becomes the child (`exec`), so the child's pid is known and there is no moment
 * without a guard. The guard waits on the pipe: a line means that the child is gone, the end means that we are.
 */
const GUARD = `
scratch=$1; shift
{ read -r _ <&3 || { kill -KILL $$; rm -rf -- "$scratch"; }; } >/dev/null 2>&1 &
exec "$@" 3<&-`

const PATIENCE_MS = 20_000

export interface LeashOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** In a session of its own. */
  readonly detached?: boolean
  readonly stdin: StdioNull
  /** Of standard output and standard error; a number is an open file. */
  readonly output: StdioPipe | number
  /** Deleted when this process dies before the child does. */
  readonly scratchDir?: string
}

/** Like `spawn`, but that the child, stopped or busy as it may be, is killed when this process is gone. */
export function spawnOnLeash(command: string, args: readonly string[], options: LeashOptions): ChildProcess {
  const { stdin, output, scratchDir = '', ...others } = options
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', scratchDir, command, ...args], {
    ...others,
    stdio: [stdin, output, output, 'pipe'],
  })
  // Not the child's standard input: Node closes that by itself when the child exits, and the guard would strike.
  const guard = child.stdio[3] as Writable | undefined
  guard?.on('error', () => {}) // the guard may have gone first
  child.once('exit', () => guard?.end('\n'))
  return child
}

/** Starts the command in a session of its own: a Ctrl-C at the terminal reaches us only, and we stop it in order. */
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
      const tooLong = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
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
