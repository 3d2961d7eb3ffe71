/** One Kafka and one registry for the whole run; every test makes its own topics and subjects. */
import type { TestProject } from 'vitest/node'
import { startStack } from '../../dev/stack/stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    brokers: readonly string[]
    registryUrl: string
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack()
  project.provide('brokers', stack.brokers)
  project.provide('registryUrl', stack.registryUrl)
  return stack.stop
}
