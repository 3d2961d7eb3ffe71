/** Runs our own command line as processes, for the demo, the benchmark and the tests. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { spawnOnLeash } from '../stack/leash.ts'

export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Node's compile cache. A command that finds it starts in half the time. */
export const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url))

export type Env = Readonly<Record<string, string>>

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. It inherits only PATH from our environment, and is killed if this process ends. */
export async function runCommand(args: readonly string[], env: Env): Promise<Finished> {
  const child = spawnNode([MAIN, ...args], env)
  const [stdout, stderr] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    once(child, 'close'),
  ])
  return { code: child.exitCode, stdout, stderr }
}

/** Rejects with the output of the command if it fails. */
export async function mustSucceed(args: readonly string[], env: Env): Promise<void> {
  const { code, stderr } = await runCommand(args, env)
  if (code !== 0) throw new Error(`${args.join(' ')} exited with code ${code}: ${stderr}`)
}

export interface Running {
  readonly pid: number
  /** The output so far, of both streams. */
  readonly output: () => string
  /** Resolves with the first matching line. Rejects with the output if the process ends first. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  readonly exited: Promise<number | null>
  signal(signal: NodeJS.Signals): void
  /** Sends SIGTERM and waits for the process to exit. */
  stop(): Promise<number | null>
}

/** Starts a long-running command. It is killed when this process ends, for whatever reason. */
export function startCommand(args: readonly string[], env: Env): Running {
  return startNode([MAIN, ...args], env)
}

/** Starts a long-running program file, with Node's own options before it. */
export function startNode(args: readonly string[], env: Env): Running {
  const child = spawnNode(args, env)
  const lines: string[] = []
  const waiting = new Set<(line: string) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const onLine of waiting) onLine(line)
    })
  }
  const exited = once(child, 'exit').then(() => child.exitCode)
  return {
    pid: child.pid ?? 0,
    output: () => lines.join('\n'),
    line: (pattern) => firstMatch(pattern, { lines, waiting, exited }),
    exited,
    signal: (signal) => void child.kill(signal),
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

interface Lines {
  readonly lines: readonly string[]
  readonly waiting: Set<(line: string) => void>
  readonly exited: Promise<number | null>
}

function firstMatch(pattern: RegExp, { lines, waiting, exited }: Lines): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const onLine = (line: string): void => {
      const match = pattern.exec(line)
      if (match === null) return
      waiting.delete(onLine)
      resolve(match)
    }
    waiting.add(onLine)
    for (const line of lines) onLine(line)
    void exited.then((code) => {
      reject(
        new Error(`The process exited with code ${code} before it printed ${pattern}:\n${lines.join('\n')}`),
      )
    })
  })
}

function spawnNode(args: readonly string[], env: Env): ChildProcess {
  return spawnOnLeash(process.execPath, args, {
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdin: 'ignore',
    output: 'pipe',
  })
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}
