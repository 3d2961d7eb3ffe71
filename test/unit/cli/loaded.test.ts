import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SOURCES = new URL('../../../src/', import.meta.url)
/** Everything `run` has loaded once the service is under way, where no setting asks for more. */
const RUN = ['cli/run-command.ts', 'cli/simulate-command.ts', 'service.ts', 'ops/server.ts']

async function loadedBy(files: readonly string[]): Promise<string[]> {
  const program = `
    import { createRequire } from 'node:module'
    for (const file of ${JSON.stringify(files)}) await import(new URL(file, ${JSON.stringify(SOURCES.href)}))
    const { cache } = createRequire(import.meta.url)
    process.stdout.write(JSON.stringify([...process.moduleLoadList, ...Object.keys(cache)]))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  return JSON.parse(stdout) as string[]
}

test('the service does not load what only takes memory: a second undici, all of the first, JSON Schema and Protobuf, the client of Redis', async () => {
  const loaded = await loadedBy(RUN)

  expect(loaded).toContainEqual(expect.stringMatching(/node_modules\/undici\/lib\/dispatcher\/client\.js$/))
  const unwanted =
    /deps\/undici|undici\/index\.js$|undici\/lib\/web\/|node_modules\/(?:ajv|protobufjs)\/|@redis/
  expect(loaded.filter((name) => unwanted.test(name))).toEqual([])
})
