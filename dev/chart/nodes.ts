/** The words in which the chart's values are described once; their file, their schema and their table are made of it. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export interface Leaf {
  readonly kind: 'leaf'
  readonly meaning: string
  /** Undefined where the chart sets nothing by itself and `values.yaml` names the value in a comment only. */
  readonly default: Json | undefined
  readonly schema: { readonly [keyword: string]: Json }
}

export interface Group {
  readonly kind: 'group'
  readonly meaning: string
  readonly members: Readonly<Record<string, Node>>
}

/** Takes what the group of that name at the top takes. */
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

/** Null leaves the choice to the chart, as `meaning` says. */
export function countOrNull(meaning: string, minimum = 0): Leaf {
  return leaf(null, meaning, { type: ['integer', 'null'], minimum })
}

/** Names and texts of the user's own. */
export function texts(meaning: string, fallback: Readonly<Record<string, string>> = {}): Leaf {
  return leaf(fallback, meaning, { type: 'object', additionalProperties: { type: 'string' } })
}

/** An object of Kubernetes', which the API server checks. */
export function foreign(meaning: string, fallback: Json = {}): Leaf {
  return leaf(fallback, meaning, { type: 'object' })
}

export function foreignList(meaning: string): Leaf {
  return leaf([], meaning, { type: 'array', items: { type: 'object' } })
}
