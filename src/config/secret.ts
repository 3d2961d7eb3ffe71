/** A value that must not be shown. Whatever prints, logs or serializes it gets `***`; only {@link reveal} tells. */
export class Secret {
  /** Path of the file it was read from; null where the environment held it. */
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
