/** The stack is not available for a reason that the user can fix. Print only the message, without a stack trace. */
export class StackError extends Error {
  override readonly name = 'StackError'
}
