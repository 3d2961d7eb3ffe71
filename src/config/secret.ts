/** A value that must not be shown. Whatever prints, logs or serialises it gets `***`; only {@link reveal} tells. */
export class Secret {
  readonly #value: string
  /** The file it came from, which may be read again; null where the environment holds the value itself. */
  readonly file: string | null

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
