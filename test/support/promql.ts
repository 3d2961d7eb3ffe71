/** What a PromQL query asks for. */
import { parser } from '@prometheus-io/lezer-promql'

type SyntaxNode = ReturnType<typeof parser.parse>['topNode']

export interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

export interface Selector {
  /** Empty where the query names none. */
  readonly metric: string
  readonly matchers: readonly Matcher[]
  /** The function that is given the selector's range, as in `rate(x[5m])`. */
  readonly over: string | null
  readonly range: string | null
}

export interface ParsedQuery {
  /** What is no PromQL, with what stands around it. */
  readonly errors: readonly string[]
  readonly selectors: readonly Selector[]
  /** Labels of `by`, `without`, `on`, `ignoring` and the like. */
  readonly grouping: readonly string[]
}

/** Grafana's variables are put in as the linter of Grafana's dashboards does. */
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
