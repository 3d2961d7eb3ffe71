import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFileSecrets, type FileSecrets } from '../../../src/adapters/secret-file.ts'
import { readTextFile } from '../../../src/config/environment.ts'
import { Secret } from '../../../src/config/secret.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OLD = 'fictitious-old'
const NEW = 'fictitious-new'

let folder: string
let clock: FakeClock
let problems: string[]
let changes: number
let reads: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkresult-secrets-'))
  clock = new FakeClock()
  problems = []
  changes = 0
  reads = 0
})

afterEach(() => rmSync(folder, { recursive: true }))

function path(name: string): string {
  return join(folder, name)
}

function write(name: string, text: string): void {
  writeFileSync(path(name), text)
}

/** The secrets with their values at startup. */
function watch(): FileSecrets<'id' | 'key'> {
  write('id', `${OLD}-id\n`)
  write('key', OLD)
  return createFileSecrets(
    { id: new Secret(`${OLD}-id`, path('id')), key: new Secret(OLD, path('key')) },
    {
      readText: (file) => {
        reads += 1
        return readTextFile(file)
      },
      monotonicMs: () => clock.monotonicMs(),
      onProblem: (message) => void problems.push(message),
      onChange: () => (changes += 1),
    },
  )
}

async function later(secrets: FileSecrets<'id' | 'key'>, ms: number) {
  await clock.advance(ms)
  return secrets.current()
}

describe('secrets from files', () => {
  test('are the same object without file access for five seconds and without a timer', async () => {
    const secrets = watch()
    const first = secrets.current()
    expect(first).toEqual({ id: `${OLD}-id`, key: OLD })
    expect(await later(secrets, 4_999)).toBe(first)
    expect([reads, clock.timers]).toEqual([0, 0])
    expect(await later(secrets, 1)).toBe(first)
    expect([reads, changes]).toEqual([2, 0])
  })

  test('are replaced together when two reads give the same values', async () => {
    const secrets = watch()
    write('id', `${NEW}-id\n`)
    expect((await later(secrets, 5_000)).id).toBe(`${OLD}-id`)
    write('key', NEW)
    expect(await later(secrets, 1_000)).toEqual({ id: `${OLD}-id`, key: OLD })
    expect(await later(secrets, 1_000)).toEqual({ id: `${NEW}-id`, key: NEW })
    expect([changes, problems]).toEqual([1, []])
  })

  test('are found behind a symbolic link that Kubernetes replaces', async () => {
    for (const version of ['one', 'two']) mkdirSync(path(version))
    write('one/key', OLD)
    write('two/key', NEW)
    symlinkSync('one', path('..data'))
    symlinkSync(join('..data', 'key'), path('key'))
    const secrets = createFileSecrets(
      { key: new Secret(OLD, path('key')) },
      {
        readText: readTextFile,
        monotonicMs: () => clock.monotonicMs(),
        onProblem: (message) => void problems.push(message),
      },
    )
    symlinkSync('two', path('..data_tmp'))
    renameSync(path('..data_tmp'), path('..data'))
    await clock.advance(5_000)
    expect(secrets.current()).toEqual({ key: OLD })
    await clock.advance(1_000)
    expect(secrets.current()).toEqual({ key: NEW })
    expect(problems).toEqual([])
  })

  test('are read again at once after a rejection', () => {
    const secrets = watch()
    write('key', NEW)
    secrets.reread()
    expect(secrets.current()).toEqual({ id: `${OLD}-id`, key: NEW })
    expect(changes).toBe(1)
    secrets.reread()
    expect(changes).toBe(1)
  })

  test.each([
    ['empty', '', 'it is empty'],
    ['of two lines', `${NEW}\n${NEW}\n`, 'it has more than one line or contains control characters'],
  ])('stay in use while the file is %s, with one message', async (_, text, problem) => {
    const secrets = watch()
    write('key', text)
    for (let looks = 0; looks < 3; looks += 1) expect((await later(secrets, 5_000)).key).toBe(OLD)
    secrets.reread()
    expect(secrets.current().key).toBe(OLD)
    expect(problems).toEqual([
      `Cannot use the secret file ${path('key')}: ${problem}. The last good value stays in use.`,
    ])
    write('key', NEW)
    await later(secrets, 5_000)
    expect((await later(secrets, 1_000)).key).toBe(NEW)
    write('key', '')
    await later(secrets, 5_000)
    expect(problems).toHaveLength(2)
  })

  test('stay in use while the file is missing', async () => {
    const secrets = watch()
    rmSync(path('id'))
    expect(await later(secrets, 5_000)).toEqual({ id: `${OLD}-id`, key: OLD })
    expect(problems).toMatchObject([expect.stringContaining('ENOENT')])
    expect(problems.join()).not.toContain(OLD)
  })

  test('are not read again if they come from the environment', async () => {
    const secrets = createFileSecrets(
      { key: new Secret(OLD) },
      {
        readText: () => {
          throw new Error('There is no file.')
        },
        monotonicMs: () => clock.monotonicMs(),
        onProblem: () => undefined,
      },
    )
    await clock.advance(60_000)
    secrets.reread()
    expect(secrets.current()).toEqual({ key: OLD })
  })
})
