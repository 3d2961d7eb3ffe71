/** A value that must not be shown. Printing, logging or serializing it gives `***`; only {@link reveal} returns it. */
export class Secret {
  /** Path of the file that it was read from; null if it came from the environment. */
  readonly file: string | null
  readonly #value: string

  constructor(value: string, file: string | null = null) {
    this.#value = value
    this.file = file
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK
  }
}

export const MASK = '***'
