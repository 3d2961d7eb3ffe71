/** The dashboard of the service, for the people who operate it. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard } from './dashboard.ts'
import { kafka } from './service/kafka.ts'
import { overview } from './service/overview.ts'
import { pipeline } from './service/pipeline.ts'
import { runtime } from './service/runtime.ts'
import { circuit, quota, upstream } from './service/upstream.ts'

export function serviceDashboard(): Dashboard {
  return dashboard({
    uid: 'checkresult-service',
    title: 'checkresult-stream: service',
    description: 'Pipeline, CheckResult API, quota, Kafka and processes of checkresult-stream.',
    rows: [...overview, pipeline, upstream, quota, circuit, kafka, runtime],
  })
}
