/** Building blocks to describe each chart value once. `values.yaml`, its schema and the table of values are generated from them. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface Leaf {
  readonly kind: 'leaf'
  readonly meaning: string
  /** Undefined if the chart sets no default: `values.yaml` then lists the value in a comment only. */
  readonly default: Json | undefined
  readonly schema: { readonly [keyword: string]: Json }
}

export interface Group {
  readonly kind: 'group'
  readonly meaning: string
  readonly members: Readonly<Record<string, Node>>
}

/** Accepts the same values as the top-level group with that name. */
export interface Alike {
  readonly kind: 'alike'
  readonly meaning: string
  readonly as: string
}

export type Node = Leaf | Group | Alike

export function group(meaning: string, members: Group['members']): Group {
  return { kind: 'group', meaning, members }
}

export function alike(as: string, meaning: string): Alike {
  return { kind: 'alike', meaning, as }
}

export function leaf(fallback: Json | undefined, meaning: string, schema: Leaf['schema']): Leaf {
  return { kind: 'leaf', meaning, default: fallback, schema }
}

export function flag(fallback: boolean, meaning: string): Leaf {
  return leaf(fallback, meaning, { type: 'boolean' })
}

export function text(fallback: string, meaning: string, rest: Leaf['schema'] = {}): Leaf {
  return leaf(fallback, meaning, { type: 'string', ...rest })
}

export function count(fallback: number, meaning: string, minimum = 1): Leaf {
  return leaf(fallback, meaning, { type: 'integer', minimum })
}

/** Null means that the chart chooses, as `meaning` explains. */
export function countOrNull(meaning: string, minimum = 0): Leaf {
  return leaf(null, meaning, { type: ['integer', 'null'], minimum })
}

/** A map of strings with names that the user chooses. */
export function texts(meaning: string, fallback: Readonly<Record<string, string>> = {}): Leaf {
  return leaf(fallback, meaning, { type: 'object', additionalProperties: { type: 'string' } })
}

/** A Kubernetes object. The API server validates it. */
export function foreign(meaning: string, fallback: Json = {}): Leaf {
  return leaf(fallback, meaning, { type: 'object' })
}

export function foreignList(meaning: string): Leaf {
  return leaf([], meaning, { type: 'array', items: { type: 'object' } })
}
