/** The dashboard of verifications, for people who are responsible for customers, fraud and the bill. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { decisions, risk } from './business/decisions.ts'
import { cost, documents } from './business/documents.ts'
import { figures } from './business/figures.ts'
import { dashboard } from './dashboard.ts'

export function businessDashboard(): Dashboard {
  return dashboard({
    uid: 'checkresult-business',
    title: 'checkresult-stream: verifications',
    description: 'Pass rate, risk rate, documents and billed calls of the verifications.',
    rows: [figures, decisions, risk, documents, cost],
  })
}
