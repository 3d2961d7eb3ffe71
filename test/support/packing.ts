/** How outputs are packed with the default settings. */
import { DEFAULT_MAX_MESSAGE_BYTES } from '../../src/adapters/kafka/sinks/batches.ts'
import type { Packing } from '../../src/adapters/kafka/sinks/produce.ts'

export const PACKING: Packing = { compression: 'none', maxMessageBytes: () => DEFAULT_MAX_MESSAGE_BYTES }
