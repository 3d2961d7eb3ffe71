import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SOURCES = new URL('../../../src/', import.meta.url)
/** Modules that `run` has loaded once the service is running, with default settings. */
const RUN = ['cli/run-command.ts', 'cli/simulate-command.ts', 'app/service.ts', 'ops/server.ts']

async function loadedBy(files: readonly string[]): Promise<string[]> {
  const program = `
    import { createRequire } from 'node:module'
    for (const file of ${JSON.stringify(files)}) await import(new URL(file, ${JSON.stringify(SOURCES.href)}))
    const { cache } = createRequire(import.meta.url)
    process.stdout.write(JSON.stringify([...process.moduleLoadList, ...Object.keys(cache)]))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  return JSON.parse(stdout) as string[]
}

test("the service does not load modules that it does not need: a second copy of undici, undici's index, JSON Schema, Protobuf, the Redis client", async () => {
  const loaded = await loadedBy(RUN)

  expect(loaded).toContainEqual(expect.stringMatching(/node_modules\/undici\/lib\/dispatcher\/client\.js$/))
  const unwanted =
    /deps\/undici|undici\/index\.js$|undici\/lib\/web\/|node_modules\/(?:ajv|protobufjs)\/|@redis/
  expect(loaded.filter((name) => unwanted.test(name))).toEqual([])
})
