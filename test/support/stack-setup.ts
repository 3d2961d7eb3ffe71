/** Starts one Kafka and one registry for the whole run. Every test uses its own topics and subjects. */
import type { TestProject } from 'vitest/node'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { LOGIN_LISTENER, WITH_LOGIN_LISTENER } from './login-listener.ts'

declare module 'vitest' {
  interface ProvidedContext {
    brokers: readonly string[]
    /** The same broker, for clients that log in. */
    loginBroker: string
    registryUrl: string
  }
}

interface Shared {
  readonly stack: Promise<Stack>
  projects: number
}

/** vitest loads this file for each project and sets up the projects one after the other. */
const everywhere = globalThis as { checkresultTestStack?: Shared }

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (everywhere.checkresultTestStack ??= { stack: startStack(WITH_LOGIN_LISTENER), projects: 0 })
  shared.projects += 1
  const stack = await shared.stack
  project.provide('brokers', stack.brokers)
  project.provide('loginBroker', stack.listeners.get(LOGIN_LISTENER) ?? '')
  project.provide('registryUrl', stack.registryUrl)
  return async () => {
    shared.projects -= 1
    if (shared.projects > 0) return
    delete everywhere.checkresultTestStack
    await stack.stop()
  }
}
