/**
 * Runs the commands of the docs as written, except for fixed values that differ here: a position, a port, the number
 * of brokers.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { MAIN, runCommand, startCommand, startNode, type Env } from '../../dev/harness/commands.ts'
import { findJava } from '../../dev/stack/java.ts'
import { providePrograms } from '../../dev/stack/programs.ts'
import { commandsOf, inlineCommandsOf, pages } from '../support/docs.ts'
import { redisForTest } from '../support/redis.ts'
import { startRun, type Run } from '../support/run.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const documented = [...new Set(pages().flatMap(commandsOf))]
/** The arguments after `npm start --`. */
const ours = documented.flatMap((command) => {
  const [, words] = /^npm start -- (.+)$/.exec(command) ?? []
  return words === undefined ? [] : [words]
})
const allInline = [...new Set(pages().flatMap(inlineCommandsOf))]
const inline = allInline.flatMap((command) => {
  const [, words] = /^npm start (?:--silent )?-- (.+)$/.exec(command) ?? []
  return words === undefined ? [] : [words]
})

let run: Run
let env: Env
/** The position of an unprocessed dead letter. */
let position = ''

beforeAll(async () => {
  run = await startRun()
  env = run.environment.env
  await run.startReplica()
  await run.untilOut(await run.send([{ key: null, value: '{' }]))
  const [deadLetter] = run.deadLetters()
  position = `${deadLetter?.partition}:${deadLetter?.offset}`
})

afterAll(async () => run.close())

function fitted(words: string): readonly string[] {
  return words
    .replace('3:1041', position)
    .replace('--replication-factor 3', '--replication-factor 1')
    .replace('--port 8080', '--port 0')
    .split(' ')
}

test('`npm start` runs the program that these tests run', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  expect(scripts['start']).toBe('node src/main.ts')
  expect(MAIN).toBe(join(ROOT, 'src/main.ts'))
})

describe.each(ours.filter((words) => !/^(quota|simulate)/.test(words)))('npm start -- %s', (words) => {
  test('exits with 0', async () => {
    const { code, stderr } = await runCommand(fitted(words), env)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') })
  })
})

test('the simulator starts and prints the settings to export', async () => {
  const found = ours.filter((words) => words.startsWith('simulate'))
  expect(found).not.toEqual([])
  for (const words of found) {
    const simulator = startCommand(fitted(words), {})
    await simulator.line(/export CHECKRESULT_ENDPOINT=http/)
    await simulator.stop()
  }
})

test.each(inline)('the documented command `npm start -- %s` exists', async (words) => {
  const command = words.split(' ').filter((word) => /^[a-z]+$/.test(word))
  const { code, stderr } = await runCommand([...command.slice(0, 2), '--help'], {})
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test('the quota commands, redis-cli --eval and HSET work on one Redis', async () => {
  const { url } = await redisForTest()
  const redis = await createClient({ url }).connect()
  onTestFinished(async () => redis.close())
  for (const command of documented.filter((one) => one.startsWith('redis-cli --eval'))) {
    const [, file = '', key = '', args = ''] = /--eval (\S+) (\S+) , (.+)$/.exec(command) ?? []
    const script = await readFile(join(ROOT, file), 'utf8')
    const answer = await redis.eval(script, { keys: [key], arguments: args.split(' ') })
    // A new key grants no slots in its first second.
    const any: unknown = expect.any(Number)
    expect(answer).toEqual([any, 50, any, any, any, [], []])
  }
  const shared = { ...env, CHECKRESULT_QPS: '50', CHECKRESULT_QUOTA: 'redis', REDIS_URL: url }
  const said: string[] = []
  for (const words of ours.filter((one) => one.startsWith('quota'))) {
    const { code, stdout } = await runCommand(words.split(' '), shared)
    expect(code).toBe(0)
    said.push(stdout)
  }
  expect(said.join('')).toContain('30')
  expect(await redis.hGet('checkresult:quota', 'limit')).toBe('30')
  for (const command of allInline.filter((one) => one.startsWith('redis-cli HSET')))
    expect(await redis.sendCommand(command.split(' ').slice(1))).toBe(0)
})

test('config check accepts the variables that the docs export', async () => {
  const exported = documented.filter((command) => command.startsWith('export '))
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    `${exported.join('\n')}\n"$1" "$2" config check`,
    'bash',
    process.execPath,
    MAIN,
  ])
  expect(stdout).toContain('kafka-1.example:9092')
})

test('the documented profiling command writes a profile when the program ends', async () => {
  const command = documented.find((one) => one.startsWith('npx node --cpu-prof ')) ?? ''
  const folder = await mkdtemp(join(tmpdir(), 'checkresult-profile-'))
  onTestFinished(async () => rm(folder, { recursive: true }))
  const words = command.replace('npx node ', '').replace('profiles', folder).split(' ')
  // Without settings the program ends at once.
  await promisify(execFile)(process.execPath, words, { cwd: ROOT, env: {} }).catch(() => undefined)
  expect((await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'))).toHaveLength(1)
})

test('the event of the documented Docker Compose command gets a result', async () => {
  const command = documented.find((one) => one.startsWith('echo ')) ?? ''
  const [, text = '', words = ''] =
    /^echo '(.+?)' \| docker compose exec .*kafka-console-producer\.sh (.+)$/.exec(command) ?? []
  const args = words
    .replace('kafka:19092', inject('brokers').join())
    .replace('verification.completed', run.topics.input)
    .replaceAll("'", '')
    .split(' ')
  const { kafkaDir } = await providePrograms(() => undefined)
  const classPath = ['-cp', join(kafkaDir, '*'), 'org.apache.kafka.tools.ConsoleProducer']
  const producer = execFile(await findJava(), [...classPath, ...args])
  producer.stdin?.end(`${text}\n`)
  const [exitCode] = (await once(producer, 'exit')) as [number | null]
  expect(exitCode).toBe(0)
  await run.outputs.until(() => run.results().some(({ key }) => String(key) === text.split('|')[0]))
})

test('the event of the documented send-event.ts command gets a result', async () => {
  const command = documented.find((one) => one.startsWith('npx node dev/send-event.ts ')) ?? ''
  const [file = '', transactionId = ''] = command.replace('npx node ', '').split(' ')
  const { stdout } = await promisify(execFile)(process.execPath, [file, transactionId], { cwd: ROOT, env })
  expect(stdout).toMatch(/^Sent to partition \d+ at offset \d+\.\n$/)
  await run.outputs.until(() => run.results().some(({ key }) => String(key) === transactionId))
})

test('`npm run stack` prints the settings to export', async () => {
  const stack = startNode([join(ROOT, 'dev/stack-command.ts')], { HOME: process.env['HOME'] ?? '' })
  await stack.line(/^export KAFKA_BROKERS=/)
  await stack.line(/^export SCHEMA_REGISTRY_URL=http/)
  expect(await stack.stop()).toBe(0)
})

test('`npm run stack -- --kafka 2.6.3` runs that version', async () => {
  const command = [join(ROOT, 'dev/stack-command.ts'), '--kafka', '2.6.3']
  const stack = startNode(command, { HOME: process.env['HOME'] ?? '', PATH: process.env['PATH'] ?? '' })
  const [, directory = ''] = await stack.line(/^Logs are in (\S+)\. /)
  expect(await readFile(join(directory, 'kafka-1', 'kafka.log'), 'utf8')).toContain('Kafka version: 2.6.3')
  expect(await stack.stop()).toBe(0)
})

test('the options of the demo exist', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'dev/demo.ts'), '--help'])
  for (const option of ['--keep', '--prometheus']) expect(stdout).toContain(option)
})
