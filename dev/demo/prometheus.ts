/** Starts a Prometheus with our rules for the demo, if Prometheus is available. */
import { join } from 'node:path'
import { RULES_DIR, startPrometheus } from '../stack/prometheus.ts'
import { StackError } from '../stack/stack-error.ts'
import { onFreePorts } from '../stack/stack.ts'
import { ToolError } from '../tools/install.ts'
import { providePrometheus } from '../tools/prometheus.ts'
import type { Started } from './start.ts'

const INTERVAL = '2s'

/** Returns its address, or null if Prometheus is not available: the demo continues without it. */
export async function startDemoPrometheus(
  running: AsyncDisposableStack,
  { service, dataDir }: Started,
  say: (line: string) => void,
): Promise<string | null> {
  say('Starting a Prometheus with our rules ...')
  try {
    const { prometheus } = await providePrometheus()
    const { server, url } = await onFreePorts(async () =>
      startPrometheus({
        program: prometheus,
        directory: join(dataDir, 'prometheus'),
        scratchDir: dataDir,
        targets: [{ url: service.opsUrl, labels: { namespace: 'demo' } }],
        ruleFiles: [join(RULES_DIR, '*.yaml')],
        interval: INTERVAL,
        onCrash: say,
      }),
    )
    running.defer(async () => server.stop('SIGKILL'))
    return url
  } catch (error) {
    if (!(error instanceof ToolError || error instanceof StackError)) throw error
    say(
      "Continuing without Prometheus: it comes from Debian's packages, which are not available here or do not start.",
    )
    return null
  }
}
