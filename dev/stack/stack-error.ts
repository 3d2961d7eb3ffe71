/** The stack is not available, for a reason a user can fix. Show only the message. */
export class StackError extends Error {
  override readonly name = 'StackError'
}
