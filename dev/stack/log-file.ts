/** Reading what a program wrote into its log. */
import { readFile } from 'node:fs/promises'

const LINES_SHOWN = 15

/** The end of a log, indented to stand below a sentence; empty when there is no log. */
export async function lastLines(file: string): Promise<string> {
  const lines = (await readLog(file)).trimEnd().split('\n').slice(-LINES_SHOWN)
  return lines.map((line) => `  ${line}`).join('\n')
}

/** From the given byte on, so that a program started again is not judged by what it wrote before. */
export async function readLog(file: string, fromByte = 0): Promise<string> {
  const content = await readFile(file).catch(() => Buffer.alloc(0))
  return content.subarray(fromByte).toString('utf8')
}
