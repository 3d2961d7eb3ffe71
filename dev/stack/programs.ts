/**
 * Kafka, the schema registry and Redis in the versions of dev/pom.xml. Maven downloads them once into a cache in the
 * user's home, where every clone finds them. They are renamed into place when complete.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from '../lock.js'
import { findMaven } from './java.ts'
import { spawnLeashed } from './leash.ts'
import { lastLines } from './log-file.ts'
import { StackError } from './stack-error.ts'

export interface Programs {
  readonly kafkaDir: string
  readonly registryDir: string
  readonly redisDir: string
}

const POM = fileURLToPath(new URL('../pom.xml', import.meta.url))
const LOCK_TIMEOUT_MS = 15 * 60_000

/** `CHECKRESULT_CACHE_DIR`, otherwise the cache folder by the XDG rules. */
export function cacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  const { CHECKRESULT_CACHE_DIR: own, XDG_CACHE_HOME: xdg } = environment
  return own || join(xdg || join(homedir(), '.cache'), 'checkresult-stream')
}

/** Throws a StackError if they are not cached and cannot be downloaded. */
export async function providePrograms(report: (line: string) => void): Promise<Programs> {
  const cache = cacheDir()
  const version = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 16)
  const directory = join(cache, `stack-${version}`)
  if (!existsSync(directory)) {
    const onWait = (): void =>
      report('Waiting for another process that is downloading Kafka and the schema registry ...')
    await withLock(`${directory}.lock`, { timeoutMs: LOCK_TIMEOUT_MS, onWait }, async () => {
      if (!existsSync(directory)) await download(directory, report)
    })
  }
  return {
    kafkaDir: join(directory, 'kafka'),
    registryDir: join(directory, 'registry'),
    redisDir: join(directory, 'redis'),
  }
}

async function download(directory: string, report: (line: string) => void): Promise<void> {
  const command = await findMaven()
  report('Downloading Kafka, the schema registry and Redis (once, about 170 MB) ...')
  const scratchDir = `${directory}.${randomUUID()}.part`
  await mkdir(scratchDir, { recursive: true })
  try {
    const logFile = join(scratchDir, 'maven.log')
    const complete = join(scratchDir, 'complete')
    const args = ['-q', '-B', '-ntp', '-f', POM, `-Dstack.directory=${complete}`, 'package']
    const code = await spawnLeashed({ command, args, cwd: scratchDir, logFile, scratchDir }).exited
    if (code !== 0)
      throw new StackError(
        `Maven could not download Kafka, the schema registry and Redis. The end of its log:\n${await lastLines(logFile)}`,
      )
    await rename(complete, directory)
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}
