/** Provides the engine for the tests in this folder. Without one, the tests are skipped and the reason is printed. */
import { provideEngine, type Engine } from '../../dev/image/engine.ts'
import { ToolError } from '../../dev/tools/install.ts'

export interface Found {
  readonly available: boolean
  /** Throws if it is used without an engine. */
  readonly engine: Engine
}

export async function findEngine(): Promise<Found> {
  try {
    return { available: true, engine: await provideEngine() }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    process.stderr.write(`Skipping the image tests: ${error.message}\n`)
    const refuse = async (): Promise<never> => Promise.reject(error)
    return { available: false, engine: { env: {}, buildah: refuse, podman: refuse } }
  }
}
