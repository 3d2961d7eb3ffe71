/** The engine for the tests of this folder; without one they are skipped, with the reason said. */
import { provideEngine, type Engine } from '../../dev/image/engine.ts'
import { ToolError } from '../../dev/tools/install.ts'

export interface Found {
  readonly available: boolean
  /** Not to be used where none is available. */
  readonly engine: Engine
}

export async function findEngine(): Promise<Found> {
  try {
    return { available: true, engine: await provideEngine() }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    process.stderr.write(`The tests of the image are skipped: ${error.message}\n`)
    const refuse = async (): Promise<never> => Promise.reject(error)
    return { available: false, engine: { env: {}, buildah: refuse, podman: refuse } }
  }
}
