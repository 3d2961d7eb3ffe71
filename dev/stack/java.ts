/** Finds Java and Maven on this machine, or says what to install. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StackError } from './stack-error.ts'

export const OLDEST_JAVA = 17

const run = promisify(execFile)

/** The command that starts Java. Throws a StackError if there is none or if it is too old. */
export async function findJava(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = environment['JAVA_HOME']
  const command = home ? join(home, 'bin', 'java') : 'java'
  const problem = javaProblem(await versionText(command, ['-version'], environment), home)
  if (problem !== undefined) throw new StackError(problem)
  return command
}

/** Throws a StackError if Maven is not installed. */
export async function findMaven(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if ((await versionText('mvn', ['--version'], environment)) !== undefined) return 'mvn'
  throw new StackError(
    'Maven is needed once, to download Kafka and the schema registry. Install it with `apt-get install maven` (Debian, Ubuntu) or `brew install maven` (macOS).',
  )
}

/**
 * For a server that is small, short-lived and killed without notice: its temporary files are deleted with
 * `directory`.
 */
export function jvmOptions(directory: string): string[] {
  return ['-XX:+UseSerialGC', '-XX:-UsePerfData', `-Djava.io.tmpdir=${directory}`]
}

/**
 * Additionally, for a server that runs for minutes. It starts in half the time, and its load is too small to need the
 * optimizing compiler.
 */
export const QUICK_START: readonly string[] = ['-XX:TieredStopAtLevel=1']

/**
 * The message for the user; undefined if the version is new enough. `text` is the output of `java -version`, if it
 * ran.
 */
export function javaProblem(text: string | undefined, home: string | undefined): string | undefined {
  const version = text === undefined ? undefined : majorVersion(text)
  if (version !== undefined && version >= OLDEST_JAVA) return undefined
  const where = home ? `in JAVA_HOME (${home})` : 'on the PATH'
  const found = version === undefined ? `there is none ${where}` : `the one ${where} is Java ${version}`
  return `The local Kafka and schema registry need Java ${OLDEST_JAVA} or newer, but ${found}. Install it with \`apt-get install default-jre-headless\` (Debian, Ubuntu) or \`brew install --cask temurin\` (macOS).`
}

/** `openjdk version "17.0.15"`, `java version "1.8.0_392"`, `openjdk version "26-ea"`. */
export function majorVersion(text: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text)
  return match?.[1] === undefined ? undefined : Number(match[1])
}

/** Undefined if the command is missing or fails, like the placeholder for Java on macOS. */
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
