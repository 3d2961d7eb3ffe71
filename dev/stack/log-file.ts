/** Reads the log of a program. */
import { readFile } from 'node:fs/promises'

const LINES_SHOWN = 15

/** The end of a log, indented to follow a message; empty if there is no log. */
export async function lastLines(file: string): Promise<string> {
  const lines = (await readLog(file)).trimEnd().split('\n').slice(-LINES_SHOWN)
  return lines.map((line) => `  ${line}`).join('\n')
}

/** Reads from the given byte on, so that output from before a restart is ignored. */
export async function readLog(file: string, fromByte = 0): Promise<string> {
  const content = await readFile(file).catch(() => Buffer.alloc(0))
  return content.subarray(fromByte).toString('utf8')
}
