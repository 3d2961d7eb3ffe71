/** Writes cases as a file for `promtool test rules`, and runs promtool. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { providePrometheus } from '../../../dev/tools/prometheus.ts'
import type { Series } from './series.ts'
import { text } from './series.ts'

const run = promisify(execFile)
const FOLDER = fileURLToPath(new URL('../../../helm/checkresult-stream/files/rules/', import.meta.url))

export const RULE_FILES = ['recordings.yaml', 'alerts.yaml'].map((name) => join(FOLDER, name))

/** The expected labels and annotations of a firing alert. */
export interface Firing {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Check {
  readonly alert: string
  readonly minute: number
  readonly firing: readonly Firing[]
}

export interface RuleTest {
  readonly name: string
  readonly series: readonly Series[]
  readonly checks: readonly Check[]
}

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
}
interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
}

const committed = RULE_FILES.map((path) => parse(readFileSync(path, 'utf8')) as RuleFile)

/** The committed rules of these alerts and the recordings that they need. A test with all rules takes ten times as long. */
function rulesOf(alerts: ReadonlySet<string>): RuleFile {
  const all = committed.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))
  const needed = new Set<Rule>()
  const need = (rule: Rule): void => {
    if (needed.has(rule)) return
    needed.add(rule)
    for (const other of all) if (rule.expr.includes(other.record ?? `"${other.alert}"`)) need(other)
  }
  for (const rule of all) if (rule.alert !== undefined && alerts.has(rule.alert)) need(rule)
  return { groups: [{ name: 'needed', rules: all.filter((rule) => needed.has(rule)) }] }
}

/** The output of promtool. It contains SUCCESS if everything is as expected. */
export async function testRules(tests: readonly RuleTest[], stepMinutes: number): Promise<string> {
  const { promtool: program } = await providePrometheus()
  const folder = await mkdtemp(join(tmpdir(), 'rules-'))
  const [rules, file] = [join(folder, 'rules.yaml'), join(folder, 'test.yaml')]
  const alerts = new Set(tests.flatMap(({ checks }) => checks.map(({ alert }) => alert)))
  await writeFile(rules, stringify(rulesOf(alerts)))
  await writeFile(file, stringify({ rule_files: [rules], ...testFile(tests, stepMinutes) }))
  try {
    const { stdout } = await run(program, ['test', 'rules', file])
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    return stdout + stderr
  } finally {
    await rm(folder, { recursive: true })
  }
}

function testFile(tests: readonly RuleTest[], stepMinutes: number): object {
  const step = `${stepMinutes}m`
  return {
    evaluation_interval: step,
    tests: tests.map(({ name, series, checks }) => ({
      name,
      interval: step,
      input_series: series.map((one) => ({ series: text(one), values: one.values })),
      alert_rule_test: checks.map(({ alert, minute, firing }) => ({
        eval_time: `${minute}m`,
        alertname: alert,
        exp_alerts: firing.map(({ labels, annotations }) => ({
          exp_labels: labels,
          exp_annotations: annotations,
        })),
      })),
    })),
  }
}

/** Runs any other promtool command. Returns its output and exit code. */
export async function promtool(args: readonly string[], input = ''): Promise<{ code: number; said: string }> {
  const { promtool: program } = await providePrometheus()
  const child = run(program, [...args])
  child.child.stdin?.end(input)
  try {
    const { stdout, stderr } = await child
    return { code: 0, said: stdout + stderr }
  } catch (error) {
    const {
      code = 1,
      stdout = '',
      stderr = '',
    } = error as { code?: number; stdout?: string; stderr?: string }
    return { code, said: stdout + stderr }
  }
}

/** Checks queries by writing them as recording rules. */
export async function checkExpressions(queries: readonly string[]): ReturnType<typeof promtool> {
  const folder = await mkdtemp(join(tmpdir(), 'queries-'))
  const file = join(folder, 'queries.yaml')
  const rules = queries.map((expr, at) => ({ record: `query:${at}`, expr }))
  await writeFile(file, stringify({ groups: [{ name: 'queries', rules }] }))
  const said = await promtool(['check', 'rules', file])
  await rm(folder, { recursive: true })
  return said
}
