/** Parses PromQL queries into their selectors. */
import { parser } from '@prometheus-io/lezer-promql'

type SyntaxNode = ReturnType<typeof parser.parse>['topNode']

export interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

export interface Selector {
  /** Empty if the query names no metric. */
  readonly metric: string
  readonly matchers: readonly Matcher[]
  /** The function around the selector's range, as in `rate(x[5m])`. */
  readonly over: string | null
  readonly range: string | null
}

export interface ParsedQuery {
  /** Invalid parts of the query, with the surrounding text. */
  readonly errors: readonly string[]
  readonly selectors: readonly Selector[]
  /** Labels in `by`, `without`, `on`, `ignoring` and similar clauses. */
  readonly grouping: readonly string[]
}

/** Replaces Grafana's variables in the same way as the linter of Grafana dashboards. */
export function parseQuery(query: string): ParsedQuery {
  const text = query.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '6h')
  const errors: string[] = []
  const selectors: Selector[] = []
  const grouping: string[] = []
  parser.parse(text).iterate({
    enter: ({ type, from, to, node }) => {
      if (type.isError) errors.push(text.slice(Math.max(0, from - 20), to + 20))
      if (type.name === 'VectorSelector') selectors.push(selector(node, text))
      if (type.name === 'GroupingLabels') grouping.push(...named(node, 'LabelName', text))
    },
  })
  return { errors, selectors, grouping }
}

function selector(node: SyntaxNode, text: string): Selector {
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : null
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  return {
    metric: named(node, 'Identifier', text)[0] ?? '',
    matchers: matchers.map((matcher) => ({
      label: named(matcher, 'LabelName', text)[0] ?? '',
      operator: named(matcher, 'MatchOp', text)[0] ?? '',
      value: (named(matcher, 'StringLiteral', text)[0] ?? '').slice(1, -1),
    })),
    over: matrix === null ? null : functionAround(matrix, text),
    range: matrix === null ? null : text.slice(node.to + 1, matrix.to - 1),
  }
}

function functionAround(node: SyntaxNode, text: string): string | null {
  for (let at = node.parent; at !== null; at = at.parent) {
    if (at.name === 'FunctionCall') return named(at, 'FunctionIdentifier', text)[0] ?? null
  }
  return null
}

function named(node: SyntaxNode, name: string, text: string): string[] {
  return node.getChildren(name).map(({ from, to }) => text.slice(from, to))
}
