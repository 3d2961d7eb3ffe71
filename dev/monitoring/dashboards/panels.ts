/** The panel types of the dashboards, with one common look. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type DynamicConfigValue,
  type Panel,
  type Threshold,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { Query } from './queries.ts'

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }

export interface PanelText {
  readonly title: string
  /** Content of the panel, and how to read it. */
  readonly description: string
  readonly unit: string
  readonly queries: readonly Query[]
  /** Width in columns; the dashboard has 24. */
  readonly width: number
}

/** The common part of the panel builders. */
interface AnyBuilder extends Builder<Panel> {
  title(text: string): this
  description(text: string): this
  unit(unit: string): this
  datasource(datasource: typeof DATASOURCE): this
  span(width: number): this
  height(height: number): this
  targets(targets: Builder<Dataquery>[]): this
}

const HEIGHT = { stat: 4, chart: 8 }

function described<B extends AnyBuilder>(builder: B, { title, description, unit, width }: PanelText): B {
  return builder.title(title).description(description).unit(unit).datasource(DATASOURCE).span(width)
}

function targets(queries: readonly Query[]): DataqueryBuilder[] {
  return queries.map(({ expr, legend }, at) =>
    new DataqueryBuilder()
      .refId(String.fromCodePoint(65 + at))
      .datasource(DATASOURCE)
      .expr(expr)
      .legendFormat(legend),
  )
}

/** Color thresholds: each color applies from its value on, the first one also below. */
export type Colors = readonly (readonly [from: number | null, color: string])[]

function thresholds(colors: Colors): ThresholdsConfigBuilder {
  const steps: Threshold[] = colors.map(([value, color]) => ({ value, color }))
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}

export interface ValueText {
  readonly text: string
  readonly color: string
}

function mappings(valueTexts: Readonly<Record<string, ValueText>>): ValueMapping[] {
  const options = Object.fromEntries(
    Object.entries(valueTexts).map(([value, word], index) => [value, { ...word, index }]),
  )
  return [{ type: MappingType.ValueToText, options }]
}

export interface StatLook {
  readonly colors?: Colors
  readonly valueTexts?: Readonly<Record<string, ValueText>>
  readonly decimals?: number
  /** Query the total over the selected time range once, and show only the number. */
  readonly total?: boolean
}

/** One number: its current value, or a total over the selected time range. */
export function stat(text: PanelText, look: StatLook = {}): Panel {
  const { colors = [[null, 'blue']], valueTexts, decimals, total = false } = look
  const builder = described(new StatBuilder(), text)
    .height(HEIGHT.stat)
    .targets(targets(text.queries).map((target) => (total ? target.instant() : target.range())))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .graphMode(total || valueTexts !== undefined ? BigValueGraphMode.None : BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value)
    .thresholds(thresholds(colors))
    .noValue('none')
  if (valueTexts !== undefined) builder.mappings(mappings(valueTexts))
  if (decimals !== undefined) builder.decimals(decimals)
  return builder.build()
}

export interface ChartLook {
  readonly stacked?: boolean
  /** Fixes the axis to 0 to 1. */
  readonly share?: boolean
  readonly min?: number
  readonly overrides?: Readonly<Record<string, readonly DynamicConfigValue[]>>
}

/** A time series panel. */
export function chart(text: PanelText, look: ChartLook = {}): Panel {
  const { stacked = false, share = false, min, overrides = {} } = look
  const builder = described(new TimeseriesBuilder(), text)
    .height(HEIGHT.chart)
    .targets(targets(text.queries).map((target) => target.range()))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .showPoints(VisibilityMode.Never)
    .fillOpacity(stacked ? 40 : 8)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
  if (share) builder.min(0).max(1)
  if (min !== undefined) builder.min(min)
  for (const [name, properties] of Object.entries(overrides)) builder.overrideByName(name, [...properties])
  return builder.build()
}

/** Style of a line that shows a limit or a usual value instead of a measurement. */
export const DASHED: readonly DynamicConfigValue[] = [
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
  { id: 'custom.fillOpacity', value: 0 },
  { id: 'custom.stacking', value: { mode: 'none', group: 'limit' } },
]

/** Style of the upper edge of a band that is filled down to the series `lower`. */
export function bandDownTo(lower: string): readonly DynamicConfigValue[] {
  return [
    { id: 'custom.fillBelowTo', value: lower },
    { id: 'custom.fillOpacity', value: 14 },
    { id: 'custom.lineWidth', value: 0 },
    { id: 'color', value: { mode: 'fixed', fixedColor: 'text' } },
  ]
}

export const BAND_EDGE: readonly DynamicConfigValue[] = [
  { id: 'custom.lineWidth', value: 0 },
  { id: 'custom.fillOpacity', value: 0 },
  { id: 'color', value: { mode: 'fixed', fixedColor: 'text' } },
]

/** The distribution of a histogram over time. */
export function heatmap(text: PanelText): Panel {
  return described(new HeatmapBuilder(), text)
    .height(HEIGHT.chart)
    .targets(targets(text.queries).map((target) => target.range().format(PromQueryFormat.Heatmap)))
    .build()
}

/** States over time as text. */
export function timeline(text: PanelText, valueTexts: Readonly<Record<string, ValueText>>): Panel {
  return described(new TimelineBuilder(), text)
    .height(HEIGHT.chart)
    .targets(targets(text.queries).map((target) => target.range()))
    .mappings(mappings(valueTexts))
    .build()
}

export interface TableLook {
  /** Column heading by label. */
  readonly columns: Readonly<Record<string, string>>
  /** Column heading of the value. */
  readonly value: string
}

/** A table of totals over the selected time range, the largest first. */
export function table(text: PanelText, { columns, value }: TableLook): Panel {
  return described(new TableBuilder(), text)
    .height(HEIGHT.chart)
    .targets(targets(text.queries).map((target) => target.instant().format(PromQueryFormat.Table)))
    .transformations([
      {
        id: 'organize',
        options: { excludeByName: { Time: true }, renameByName: { ...columns, Value: value } },
      },
      { id: 'sortBy', options: { sort: [{ field: value, desc: true }] } },
    ])
    .build()
}
