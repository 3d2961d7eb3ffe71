/** Starts everything that the demo shows: stack, topics and schemas, simulator, service. `running` stops them. */
import type { Kafka } from 'kafkajs'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { createEnvironment, prepareEnvironment, type Environment } from '../harness/environment.ts'
import { startServiceProcess, type ServiceProcess } from '../harness/service.ts'
import { startSimulatorProcess } from '../harness/simulator.ts'
import { startStack } from '../stack/stack.ts'

export interface Started {
  readonly brokers: readonly string[]
  readonly registryUrl: string
  /** The stack's directory, deleted when the stack stops. */
  readonly dataDir: string
  readonly simulatorUrl: string
  readonly environment: Environment
  readonly service: ServiceProcess
  readonly kafka: Kafka
}

export const QPS = 50

/**
 * Short delays, so that deferred events return while the user is watching and an event that never completes becomes a
 * dead letter after three of them. The guard is wide because everything shares one machine and the simulator may
 * count a call late.
 */
const SETTINGS = {
  CHECKRESULT_QPS: String(QPS),
  CHECKRESULT_QPS_GUARD: '100ms',
  CHECKRESULT_TIMEOUT: '1s',
  DEFER_DELAYS: '2s,4s',
  DEFER_MAX_AGE: '10s',
}

export async function startEverything(
  running: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<Started> {
  const { brokers, registryUrl, dataDir, stop } = await startStack({ onProgress: say })
  running.defer(stop)
  say(`Starting a simulated CheckResult API with a quota of ${QPS} calls per second ...`)
  const simulator = await startSimulatorProcess({ qps: QPS, latency: 20, jitter: 40 })
  running.defer(async () => void (await simulator.stop()))
  say('Creating topics, registering schemas ...')
  const environment = createEnvironment(
    { brokers, registryUrl, endpoint: simulator.url, settings: SETTINGS },
    { shared: false },
  )
  await prepareEnvironment(environment)
  say('Starting the service ...')
  const service = await startServiceProcess(environment.env)
  running.defer(async () => void (await service.stop()))
  await service.ready()
  return {
    brokers,
    registryUrl,
    dataDir,
    simulatorUrl: simulator.url,
    environment,
    service,
    kafka: kafkaOf(brokers),
  }
}

function kafkaOf(brokers: readonly string[]): Kafka {
  const silent = { info: () => {}, warn: () => {}, error: () => {} }
  return createKafkaClient({ brokers, clientId: 'demo', tls: null, sasl: null }, silent).kafka
}
