/**
 * `npm run check:language` checks every text file: spelling (cspell), links between docs (markdownlint), phrases of the
 * reject list, and names that do not exist. Prints each finding and a count by folder.
 *
 *     npm run check:language -- [--only spelling,links,phrases,names] [path ...]
 *
 * With paths, it reports only findings in files whose path starts with one of them.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { ROOT, textFiles, type Hit, type TextFile } from './files.ts'
import { declaredNames, unknownNamesIn } from './names.ts'
import { rejectedIn } from './reject-list.ts'

type Check = (files: readonly TextFile[]) => Promise<readonly Hit[]>

const CHECKS: Readonly<Record<string, Check>> = {
  spelling: async (files) =>
    run(
      'cspell/bin.mjs',
      [
        'lint',
        '--config=cspell.config.yaml',
        '--no-progress',
        '--no-summary',
        '--no-color',
        '--cache',
        '--file-list=stdin',
      ],
      files,
    ),
  links: async (files) =>
    run(
      'markdownlint-cli2/markdownlint-cli2-bin.mjs',
      files.map(({ path }) => `:${path}`).filter((path) => path.endsWith('.md')),
      [],
    ),
  phrases: async (files) => files.flatMap(rejectedIn),
  names: async (files) => {
    const declared = declaredNames(files)
    return files.flatMap((file) => unknownNamesIn(file, declared))
  },
}

/** Runs a tool of node_modules that reads file paths from standard input and prints `file:line:column message`. */
async function run(
  tool: string,
  args: readonly string[],
  files: readonly TextFile[],
): Promise<readonly Hit[]> {
  const child = spawn(process.execPath, [`${ROOT}node_modules/${tool}`, ...args], { cwd: ROOT })
  child.stdin.end(files.map(({ path }) => `${path}\n`).join(''))
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  const lines = output.split('\n').filter((line) => line !== '')
  const hits = lines.map((line) => /^(\S+?):(\d+)(?::\d+)? (?:- |error )?(.+)$/.exec(line))
  const readable = hits.flatMap((hit) =>
    hit === null ? [] : [{ path: hit[1] ?? '', line: Number(hit[2]), message: hit[3] ?? '' }],
  )
  if (readable.length < lines.length || (status !== 0 && lines.length === 0))
    throw new Error(`${tool} failed (exit code ${String(status)}):\n${output}`)
  return readable
}

/** The number of findings in each folder, two levels deep. */
function byFolder(hits: readonly Hit[]): string {
  const counts = Map.groupBy(hits, ({ path }) => path.split('/').slice(0, -1).slice(0, 2).join('/') || '.')
  return [...counts]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([folder, { length }]) => `${String(length).padStart(6)} ${folder}\n`)
    .join('')
}

const { values, positionals } = parseArgs({
  options: { only: { type: 'string', default: Object.keys(CHECKS).join(',') } },
  allowPositionals: true,
})
const files = textFiles()
const unmatched = positionals.filter((below) => !files.some(({ path }) => path.startsWith(below)))
if (unmatched.length > 0) {
  process.stderr.write(
    `No text file has a path that starts with ${unmatched.join(' or ')}. Paths are relative to the root.\n`,
  )
  process.exit(1)
}
const chosen = values.only.split(',').map((name) => {
  const check = CHECKS[name]
  if (check === undefined)
    throw new Error(`No check "${name}". The checks are ${Object.keys(CHECKS).join(', ')}.`)
  return check
})
const found = (await Promise.all(chosen.map((check) => check(files)))).flat()
const hits = found
  .filter(({ path }) => positionals.length === 0 || positionals.some((below) => path.startsWith(below)))
  .toSorted((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1))
for (const { path, line, message } of hits) process.stdout.write(`${path}:${line}: ${message}\n`)
if (hits.length > 0) {
  process.stdout.write(`\n${hits.length} found:\n${byFolder(hits)}`)
  process.exitCode = 1
}
