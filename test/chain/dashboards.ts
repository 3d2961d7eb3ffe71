/** Reads the queries of Grafana dashboards and replaces their variables as Grafana would. Pure. */

export interface PanelQuery {
  /** Location of the query: dashboard and panel. */
  readonly location: string
  readonly query: string
}

export interface VariableQuery {
  readonly location: string
  readonly label: string
  readonly selector: string
}

interface Panel {
  readonly title?: string
  readonly targets?: readonly { readonly expr?: string }[]
  /** Panels of a collapsed row. */
  readonly panels?: readonly Panel[]
}

export interface Dashboard {
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating?: { readonly list: readonly Variable[] }
}

interface Variable {
  readonly name: string
  readonly type: string
  readonly query?: string | { readonly query?: string }
}

/** `$job` and other variables match everything. `$__range` is the last hour. */
const VALUES: Readonly<Record<string, string>> = {
  __rate_interval: '5m',
  __interval: '5m',
  __range: '1h',
  __range_s: '3600',
}
const ALL = '.+'

export function panelQueries({ title, panels }: Dashboard): readonly PanelQuery[] {
  return allPanels(panels).flatMap((panel) =>
    (panel.targets ?? []).flatMap(({ expr }) =>
      expr === undefined ? [] : [{ location: `${title}, ${panel.title ?? ''}`, query: substituted(expr) }],
    ),
  )
}

/**
 * Queries of the variables whose values come from Prometheus. Throws if one is not `label_values(selector, label)`.
 */
export function variableQueries({ title, templating }: Dashboard): readonly VariableQuery[] {
  const variables = (templating?.list ?? []).filter(({ type }) => type === 'query')
  return variables.map(({ name, query = '' }) => {
    const text = typeof query === 'string' ? query : (query.query ?? '')
    const [, selector, label] = /^label_values\((.+),\s*(\w+)\)$/.exec(text) ?? []
    if (selector === undefined || label === undefined)
      throw new Error(
        `The variable ${name} of ${title} does not query label_values(selector, label): ${text}`,
      )
    return { location: `${title}, $${name}`, label, selector: substituted(selector) }
  })
}

/** Matches `$name`, `${name}` and `${name:format}`. */
export function substituted(expr: string): string {
  return expr.replaceAll(
    /\$(?:\{(\w+)(?::\w+)?\}|(\w+))/g,
    (_, braced: string | undefined, bare: string | undefined) => VALUES[braced ?? bare ?? ''] ?? ALL,
  )
}

function allPanels(panels: readonly Panel[]): readonly Panel[] {
  return panels.flatMap((panel) => [panel, ...allPanels(panel.panels ?? [])])
}
