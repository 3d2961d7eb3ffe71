/**
 * Every command in the docs is run by a test. `RUN_BY` names that test; commands of the service itself are run as they are written by
 * test/integration/documented-commands.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { chosen as chosenScenarios } from '../../chaos/scenarios.ts'
import { parseOptions as brokersOptions } from '../../brokers/options.ts'
import { parseOptions as chaosOptions } from '../../chaos/options.ts'
import { parseOptions as benchOptions } from '../../../dev/bench/options.ts'
import { parseOptions as fuzzOptions } from '../../fuzz/options.ts'
import { chosen as chosenCases } from '../../quota/cases.ts'
import { parseOptions as quotaOptions } from '../../quota/options.ts'
import { commandsOf, inlineCommandsOf, pages } from '../../support/docs.ts'

interface RunBy {
  readonly command: RegExp
  /** The test file or script that runs the command, and a text in it that proves it. */
  readonly by: string
  readonly text: string
}

const RUN_BY: readonly RunBy[] = [
  {
    command: /^(npm start|npx node --cpu-prof|redis-cli --eval|export |echo )/,
    by: 'test/integration/documented-commands.test.ts',
    text: 'commandsOf',
  },
  { command: /^npm run demo$/, by: 'test/integration/demo.test.ts', text: 'dev/demo.ts' },
  {
    command: /^npm run demo -- --keep$/,
    by: 'test/integration/documented-commands.test.ts',
    text: "'--keep'",
  },
  {
    command: /^npm run stack$/,
    by: 'test/integration/documented-commands.test.ts',
    text: 'stack-command.ts',
  },
  {
    command: /^npm run stack -- --kafka 2\.6\.3$/,
    by: 'test/integration/documented-commands.test.ts',
    text: "'--kafka', '2.6.3'",
  },
  { command: /^npm run test:brokers/, by: '.github/workflows/nightly.yml', text: 'npm run test:brokers' },
  {
    command: /^npx node dev\/send-event\.ts /,
    by: 'test/integration/documented-commands.test.ts',
    text: 'send-event.ts',
  },
  { command: /^npm run test:unit$/, by: 'vitest.config.ts', text: "name: 'unit'" },
  { command: /^npm test$/, by: '.ci/run', text: 'npm test' },
  { command: /^npm run test:chaos/, by: '.ci/run', text: 'npm run test:chaos -- --short --slack 4' },
  { command: /^npm run test:fuzz/, by: 'test/integration/fuzz.test.ts', text: 'fuzz/play' },
  { command: /^npm run test:quota/, by: 'test/quota/quota.test.ts', text: 'readOptions' },
  { command: /^docker compose (up -d|down)/, by: 'dev/image/composition.ts', text: "compose('up', '-d'" },
  { command: /^docker build /, by: 'test/image/image.test.ts', text: 'buildImage' },
  { command: /^docker run /, by: 'test/image/image.test.ts', text: 'startContainer' },
  { command: /^helm install /, by: 'test/deploy/chart-objects.test.ts', text: 'commandsOf' },
  { command: /^helm test /, by: 'test/cluster/chart.test.ts', text: "server.helm(['test'" },
  {
    command: /^kubectl create secret generic /,
    by: 'test/cluster/chart.test.ts',
    text: 'create secret generic',
  },
]

/** Commands that no test runs. */
const NOT_RUN: readonly { readonly command: RegExp; readonly because: string }[] = [
  { command: /^git clone /, because: 'a test runs in a clone' },
  { command: /^docker push /, because: 'it publishes' },
]
const isRun = (command: string): boolean => !NOT_RUN.some((one) => one.command.test(command))

const commands = pages().flatMap((page) => commandsOf(page).map((command) => [page.path, command] as const))
const inline = pages().flatMap((page) =>
  inlineCommandsOf(page).map((command) => [page.path, command] as const),
)
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

test.each(commands.filter(([, command]) => isRun(command)))('%s: a test runs `%s`', (_, command) => {
  const runs = RUN_BY.filter((one) => one.command.test(command))
  expect(runs).not.toEqual([])
  for (const { by, text } of runs) expect(read(by)).toContain(text)
})

test.each(NOT_RUN)('$command is not run by a test because $because', ({ command }) => {
  expect(commands.filter(([, found]) => command.test(found))).toHaveLength(1)
})

/** The values of `--only` in the documented commands of a suite. */
function chosenBy(suite: string): readonly string[] {
  return [...commands, ...inline].flatMap(([, command]) => {
    const [, only] = new RegExp(`^npm run test:${suite} .*--only (\\S+)`).exec(command) ?? []
    return only === undefined ? [] : [only]
  })
}

describe('npm scripts in the docs', () => {
  const named = [...commands, ...inline].filter(([, command]) => /^npm (run \S|start|test)/.test(command))

  test.each(named)('%s: `%s` exists in package.json', (_, command) => {
    const name = /^npm (?:run )?(\S+)/.exec(command)?.[1] ?? ''
    expect(Object.keys(scripts)).toContain(name)
  })

  const suites = {
    'test:brokers': brokersOptions,
    'test:chaos': chaosOptions,
    'test:soak': chaosOptions,
    'test:quota': quotaOptions,
    'test:fuzz': fuzzOptions,
    bench: benchOptions,
  }

  test.each(
    named.filter(([, command]) => /^npm run (test:(brokers|chaos|soak|quota|fuzz)|bench) -- /.test(command)),
  )('%s: the command accepts the options of `%s`', (_, command) => {
    const [, suite = '', words = ''] = /^npm run (\S+) -- (.*)$/.exec(command) ?? []
    const parse = suites[suite as keyof typeof suites]
    const options = parse(words.split(' '))
    expect(options).toBeDefined()
  })

  test('cases and scenarios that the docs select by name exist', () => {
    for (const only of chosenBy('chaos'))
      expect(chosenScenarios({ short: false, only: [only] }).length).toBeGreaterThan(0)
    for (const only of chosenBy('quota'))
      expect(chosenCases({ ...quotaOptions([]), only: [only] }).length).toBeGreaterThan(0)
  })
})

test.each(inline.filter(([, command]) => /^node \S+\.ts/.test(command)))(
  '%s: the file of `%s` exists',
  (_, command) => {
    const file = command.split(' ')[1] ?? ''
    expect(existsSync(new URL(`../../../${file}`, import.meta.url))).toBe(true)
  },
)
