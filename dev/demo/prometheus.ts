/** A Prometheus with our rules beside the demo, where one can be had. */
import { join } from 'node:path'
import { RULES_DIR, startPrometheus } from '../stack/prometheus.ts'
import { StackError } from '../stack/stack-error.ts'
import { onFreePorts } from '../stack/stack.ts'
import { ToolError } from '../tools/install.ts'
import { providePrometheus } from '../tools/prometheus.ts'
import type { Started } from './start.ts'

const INTERVAL = '2s'

/** Its address; null when there is none to be had, which is no reason to end. */
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
    say("Going on without Prometheus: it is taken from Debian's packages, and cannot be had or started here.")
    return null
  }
}
