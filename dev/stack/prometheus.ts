/** Runs a Prometheus on a free loopback port that scrapes the given targets and evaluates the given rule files. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pickPort } from './ports.ts'
import { Server } from './server.ts'

export interface PrometheusOptions {
  readonly program: string
  /** For its settings, data and log. */
  readonly directory: string
  /** Deleted when this process ends. */
  readonly scratchDir: string
  readonly targets: readonly ScrapeTarget[]
  /** `*` matches any name. */
  readonly ruleFiles: readonly string[]
  /** Scrape and evaluation interval, in Prometheus' notation. */
  readonly interval: string
  readonly onCrash: (message: string) => void
}

export interface ScrapeTarget {
  /** The address of `/metrics`: `http://host:port`. */
  readonly url: string
  /** Labels of its series in addition to `instance`. */
  readonly labels: Readonly<Record<string, string>>
}

/** The job name of the targets: the name that the chart gives the service. */
export const JOB = 'checkresult-stream'

/** Our recording and alerting rules, as the chart installs them. */
export const RULES_DIR = fileURLToPath(new URL('../../helm/checkresult-stream/files/rules', import.meta.url))

const PROBE_TIMEOUT_MS = 5_000

/** Throws a PortTakenError or another StackError. */
export async function startPrometheus(options: PrometheusOptions): Promise<{ server: Server; url: string }> {
  const { program, directory, scratchDir, onCrash } = options
  const port = await pickPort()
  const url = `http://127.0.0.1:${port}`
  const configFile = join(directory, 'prometheus.yml')
  await mkdir(directory, { recursive: true })
  await writeFile(configFile, JSON.stringify(configOf(options)))
  const server = new Server({
    name: 'Prometheus',
    command: program,
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // A flag of Debian's package, which installs the web pages separately.
      `--web.local-assets=${join(dirname(program), '../share/prometheus/web/')}`,
    ],
    cwd: directory,
    scratchDir,
    logFile: join(directory, 'prometheus.log'),
    listening: /Server is ready to receive web requests/,
    probe: async () => {
      const answer = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
      if (!answer.ok) throw new Error(`Prometheus answers ${answer.status}.`)
    },
    onCrash,
  })
  await server.start()
  return { server, url }
}

/** Written as JSON, which is valid YAML. */
function configOf({ targets, ruleFiles, interval }: PrometheusOptions): unknown {
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ruleFiles,
    scrape_configs: [
      {
        job_name: JOB,
        static_configs: targets.map(({ url, labels }) => ({ targets: [new URL(url).host], labels })),
      },
    ],
  }
}
