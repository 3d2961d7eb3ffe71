/** The stack cannot be had, for a reason a user can act on: the message is all there is to show. */
export class StackError extends Error {
  override readonly name = 'StackError'
}
