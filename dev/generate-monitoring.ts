/**
 * Generates the files that Prometheus and Grafana read, from `dev/monitoring`: `node dev/generate-monitoring.ts`. A
 * test fails if a committed file is out of date.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { businessDashboard } from './monitoring/dashboards/business.ts'
import { serviceDashboard } from './monitoring/dashboards/service.ts'
import { ruleFiles } from './monitoring/rules.ts'

const FILES = new URL('../helm/checkresult-stream/files/', import.meta.url)

/** File contents by path. */
export async function monitoringFiles(): Promise<ReadonlyMap<string, string>> {
  const rules = Object.entries(ruleFiles()).map(([name, text]) => [`rules/${name}`, text] as const)
  const dashboards = [businessDashboard(), serviceDashboard()].map(
    (board) => [`dashboards/${board.uid}.json`, JSON.stringify(board, null, 2)] as const,
  )
  const files = [...rules, ...dashboards].map(async ([name, text]) => {
    const path = fileURLToPath(new URL(name, FILES))
    return [path, await format(text, { ...(await resolveConfig(path)), filepath: path })] as const
  })
  return new Map(await Promise.all(files))
}

if (import.meta.main) {
  for (const [path, text] of await monitoringFiles()) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}
