/** Finds the Java and the Maven of this machine, or says what to install. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StackError } from './stack-error.ts'

export const OLDEST_JAVA = 17

const run = promisify(execFile)

/** The command that starts Java. Throws a StackError when there is none, or only one that is too old. */
export async function findJava(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = environment['JAVA_HOME']
  const command = home ? join(home, 'bin', 'java') : 'java'
  const problem = javaProblem(await versionText(command, ['-version'], environment), home)
  if (problem !== undefined) throw new StackError(problem)
  return command
}

/** Throws a StackError when there is no Maven. */
export async function findMaven(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if ((await versionText('mvn', ['--version'], environment)) !== undefined) return 'mvn'
  throw new StackError(
    'Maven is needed once, to download Kafka and the schema registry: install it with `apt-get install maven` (Debian, Ubuntu) or `brew install maven` (macOS).',
  )
}

/** For a server that is small, short-lived and killed without notice: what it keeps in files goes with `directory`. */
export function jvmOptions(directory: string): string[] {
  return ['-XX:+UseSerialGC', '-XX:-UsePerfData', `-Djava.io.tmpdir=${directory}`]
}

/** Besides, for one that is up for minutes: it spends half the time until then, and its work is too little to miss the rest. */
export const QUICK_START: readonly string[] = ['-XX:TieredStopAtLevel=1']

/** What to tell the user; undefined when the version will do. `text` is what `java -version` said, if it ran at all. */
export function javaProblem(text: string | undefined, home: string | undefined): string | undefined {
  const version = text === undefined ? undefined : majorVersion(text)
  if (version !== undefined && version >= OLDEST_JAVA) return undefined
  const where = home ? `in JAVA_HOME (${home})` : 'on the PATH'
  const found = version === undefined ? `there is none ${where}` : `the one ${where} is Java ${version}`
  return `Java ${OLDEST_JAVA} or newer is needed for the local Kafka and schema registry, and ${found}: install it with \`apt-get install default-jre-headless\` (Debian, Ubuntu) or \`brew install --cask temurin\` (macOS).`
}

/** `openjdk version "17.0.15"`, `java version "1.8.0_392"`, `openjdk version "26-ea"`. */
export function majorVersion(text: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text)
  return match?.[1] === undefined ? undefined : Number(match[1])
}

/** Undefined when the command is missing or fails, as macOS's placeholder for Java does. */
async function versionText(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(command, args, { env })
    return stdout + stderr
  } catch {
    return undefined
  }
}
