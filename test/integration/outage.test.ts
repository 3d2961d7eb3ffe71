import { expect, onTestFinished, test } from 'vitest'
import { createEnvironment, prepareEnvironment } from '../../dev/harness/environment.ts'
import { startServiceProcess } from '../../dev/harness/service.ts'
import { startStack } from '../../dev/stack/stack.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { SIMULATOR_KEY } from '../support/run.ts'

const OVER_WITHIN = { timeout: 60_000, interval: 100 }

test(
  'a service outlives its brokers: it says that none answers, and goes on when they are back',
  { timeout: 150_000 },
  async () => {
    const stack = await startStack()
    onTestFinished(stack.stop)
    const simulator = await startSimulator({ credentials: SIMULATOR_KEY, qps: 'unlimited', latencyMs: 1 })
    onTestFinished(async () => simulator.close())
    const settings = { KAFKA_SESSION_TIMEOUT_MS: '6000' }
    const environment = createEnvironment({ ...stack, endpoint: simulator.url, settings }, { shared: true })
    await prepareEnvironment(environment, 2)
    const service = await startServiceProcess(environment.env)
    onTestFinished(() => service.signal('SIGKILL'))
    await service.ready()
    const readiness = async (): Promise<string> => (await fetch(`${service.opsUrl}/readyz`)).text()

    await stack.kafka.stop('SIGKILL')
    await expect.poll(readiness, OVER_WITHIN).toMatch(/No broker of KAFKA_BROKERS answers/)
    await stack.kafka.start()
    await service.ready()

    expect(await service.stop()).toBe(0)
  },
)
