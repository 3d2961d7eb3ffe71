/** Builds a dashboard from rows of panels, with variables, annotations and links. */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { DATASOURCE } from './panels.ts'
import { metric } from './queries.ts'

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface DashboardText {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly rows: readonly Row[]
}

const WIDTH = 24

export function dashboard({ uid, title, description, rows }: DashboardText): Dashboard {
  const built = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['checkresult'])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([datasourceVariable(), jobVariable(), instanceVariable()])
    .annotations([alertAnnotation(), startAnnotation()])
    .link(
      new DashboardLinkBuilder('checkresult-stream')
        .type(DashboardLinkType.Dashboards)
        .tags(['checkresult'])
        .includeVars(true)
        .keepTime(true),
    )
    .build()
  return { ...built, panels: layOut(rows) }
}

/** Lays panels out from left to right and starts a new line if one does not fit. Ids follow the order. */
function layOut(rows: readonly Row[]): Panel[] {
  const panels: Panel[] = []
  let y = 0
  for (const { title, panels: members } of rows) {
    panels.push(rowAt(title, panels.length + 1, y))
    y += 1
    let [x, tallest] = [0, 0]
    for (const panel of members) {
      const { w, h } = panel.gridPos ?? { w: WIDTH, h: 1 }
      if (x + w > WIDTH) {
        y += tallest
        x = 0
        tallest = 0
      }
      panels.push({ ...panel, id: panels.length + 1, gridPos: { x, y, w, h } })
      x += w
      tallest = Math.max(tallest, h)
    }
    y += tallest
  }
  return panels
}

function rowAt(title: string, id: number, y: number): Panel {
  return { type: 'row', title, id, gridPos: { x: 0, y, w: WIDTH, h: 1 } }
}

function datasourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus')
}

function jobVariable(): QueryVariableBuilder {
  return queryVariable('job', 'Job', 'label_values(checkresult_build_info, job)')
}

function instanceVariable(): QueryVariableBuilder {
  return queryVariable('instance', 'Instance', 'label_values(checkresult_build_info{job=~"$job"}, instance)')
}

function queryVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: name })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: 'All', value: '$__all' })
}

function alertAnnotation(): AnnotationQueryBuilder {
  return annotation('Alerts', 'ALERTS{alertname=~"CheckResult.+", alertstate="firing", job=~"$job"}')
    .iconColor('red')
    .titleFormat('{{alertname}}')
}

function startAnnotation(): AnnotationQueryBuilder {
  const info = metric('checkresult_build_info')
  return annotation('Starts', `${info} unless ${info} offset 2m`)
    .iconColor('blue')
    .titleFormat('{{instance}} started version {{version}}')
}

function annotation(name: string, expr: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .expr(expr)
    .step('60s')
    .target(new DataqueryBuilder().refId(name).expr(expr).datasource(DATASOURCE))
}
