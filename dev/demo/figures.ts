/** A snapshot of the service's metrics and the simulator's report. */
import type { SimulatorReport } from '../../simulator/report.ts'
import { metricSum } from '../harness/service.ts'

export interface Figures {
  readonly results: number
  readonly passed: number
  /** Results with a risk decision; `risky` counts those that found a risk. */
  readonly riskChecked: number
  readonly risky: number
  readonly deadLetters: number
  readonly deferred: number
  readonly report: SimulatorReport
}

export async function readFigures(
  service: { metrics(): Promise<string> },
  simulatorUrl: string,
): Promise<Figures> {
  const [metrics, report] = await Promise.all([
    service.metrics(),
    fetch(`${simulatorUrl}/_simulator/report`).then(async (response) => response.json()),
  ])
  return figuresOf(metrics, report as SimulatorReport)
}

export function figuresOf(metrics: string, report: SimulatorReport): Figures {
  const risk = (result: string): number =>
    metricSum(metrics, `checkresult_risk_checks_total{result="${result}"`)
  return {
    results: metricSum(metrics, 'checkresult_results_total'),
    passed: metricSum(metrics, 'checkresult_results_total{verdict="PASSED"'),
    riskChecked: risk('risky') + risk('clean'),
    risky: risk('risky'),
    deadLetters: metricSum(metrics, 'checkresult_dead_letters_total'),
    deferred: metricSum(metrics, 'checkresult_deferred_total'),
    report,
  }
}
