/** Records that could not be read completely: too large to keep in memory, or stored in a damaged batch. */
import type { DeadLetterCause } from '../../core/dead-letters/dead-letter.ts'
import type { InputRecord, Undecodable } from '../../ports.ts'

/** Why the record cannot be processed; null if it is complete. */
export function incompleteCause(record: InputRecord): DeadLetterCause | null {
  const { offset, unreadableFrom, leftOut } = record
  if (unreadableFrom !== undefined) {
    const offsets = unreadableFrom === offset ? `offset ${offset}` : `offsets ${unreadableFrom} to ${offset}`
    return cause('damaged-batch', `The stored batch is damaged: ${offsets} cannot be read.`)
  }
  const [first] = leftOut ?? []
  if (first === undefined) return null
  const { field, bytes } = first
  const code = field === 'value' ? 'value-too-large' : 'record-too-large'
  return cause(
    code,
    `The record's ${field} (${bytes.toLocaleString('en')} bytes) is too large to keep in memory and was left out.`,
  )
}

function cause(code: Undecodable, message: string): DeadLetterCause {
  return { reason: 'undecodable', code, stage: 'decode', message }
}
