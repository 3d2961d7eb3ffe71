/**
 * Kafka, the schema registry and Redis in the versions of dev/pom.xml, and other versions of Kafka. Maven downloads
 * them once into a cache in the user's home, where every clone finds them. They are renamed into place when complete.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from '../lock.js'
import { findMaven } from './java.ts'
import { DEFAULT_KAFKA, scalaOf } from './kafka-version.ts'
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

/** Throws a StackError if they are not cached and cannot be downloaded. `kafkaVersion`: other than the pinned one. */
export async function providePrograms(
  report: (line: string) => void,
  kafkaVersion = DEFAULT_KAFKA,
): Promise<Programs> {
  const version = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 16)
  const directory = await provide(
    {
      name: `stack-${version}`,
      what: 'Kafka, the schema registry and Redis',
      size: '170 MB',
      args: ['package'],
    },
    report,
  )
  const kafka = kafkaVersion === DEFAULT_KAFKA ? directory : await provideKafka(kafkaVersion, version, report)
  return {
    kafkaDir: join(kafka, 'kafka'),
    registryDir: join(directory, 'registry'),
    redisDir: join(directory, 'redis'),
  }
}

async function provideKafka(
  version: string,
  pomHash: string,
  report: (line: string) => void,
): Promise<string> {
  const args = [
    'dependency:copy-dependencies@kafka',
    `-Dkafka.version=${version}`,
    `-Dscala.binary.version=${scalaOf(version)}`,
  ]
  return provide(
    { name: `kafka-${version}-${pomHash}`, what: `Kafka ${version}`, size: '60 MB', args },
    report,
  )
}

interface Download {
  /** Its folder in the cache. */
  readonly name: string
  /** For messages. */
  readonly what: string
  readonly size: string
  /** Maven's goals and properties. */
  readonly args: readonly string[]
}

/** The folder with the programs, which one process downloads while others wait for it. */
async function provide(wanted: Download, report: (line: string) => void): Promise<string> {
  const directory = join(cacheDir(), wanted.name)
  if (existsSync(directory)) return directory
  const onWait = (): void => report(`Waiting for another process that is downloading ${wanted.what} ...`)
  await withLock(`${directory}.lock`, { timeoutMs: LOCK_TIMEOUT_MS, onWait }, async () => {
    if (!existsSync(directory)) await download(directory, wanted, report)
  })
  return directory
}

async function download(
  directory: string,
  { what, size, args: goals }: Download,
  report: (line: string) => void,
): Promise<void> {
  const command = await findMaven()
  report(`Downloading ${what} (once, about ${size}) ...`)
  const scratchDir = `${directory}.${randomUUID()}.part`
  await mkdir(scratchDir, { recursive: true })
  try {
    const logFile = join(scratchDir, 'maven.log')
    const complete = join(scratchDir, 'complete')
    const args = ['-q', '-B', '-ntp', '-f', POM, `-Dstack.directory=${complete}`, ...goals]
    const code = await spawnLeashed({ command, args, cwd: scratchDir, logFile, scratchDir }).exited
    if (code !== 0)
      throw new StackError(
        `Maven could not download ${what}. Check the version and the connection to the Maven repository. The end of its log:\n${await lastLines(logFile)}`,
      )
    await rename(complete, directory)
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}
