/** Every value of the chart: its default, its meaning and what is accepted. */
import {
  alike,
  count,
  countOrNull,
  flag,
  foreign,
  foreignList,
  group,
  leaf,
  text,
  texts,
  type Group,
} from './nodes.ts'
import { externalValues, fileValues, secretValues, settingsValues } from './settings.ts'

const PORTS = {
  type: 'array',
  items: { type: 'integer', minimum: 1, maximum: 65_535 },
} as const
const CAPACITY = { type: ['integer', 'string', 'null'], pattern: '^[0-9]+%$', minimum: 0 } as const
const DURATION = { pattern: '^([0-9]+(ms|s|m|h))*$' } as const

const image = group('Where the image is.', {
  repository: text('checkresult-stream', 'Registry and name.', { minLength: 1 }),
  digest: text('', 'Digest of the image, `sha256:…`. It goes before `tag`: what was tested is what runs.', {
    pattern: '^(sha256:[a-f0-9]{64})?$',
  }),
  tag: text('', "Tag, where there is no digest; the chart's `appVersion` where there is none either."),
  pullPolicy: leaf('IfNotPresent', 'When the image is pulled.', {
    type: 'string',
    enum: ['Always', 'IfNotPresent', 'Never'],
  }),
  pullSecrets: leaf([], 'Names of Secrets to pull it with.', { type: 'array', items: { type: 'string' } }),
})

const externalSecret = group('A Secret that the External Secrets operator makes of what is in a store.', {
  enabled: flag(false, 'Whether there is one.'),
  store: group('The store.', {
    name: text('', 'Its name.'),
    kind: leaf('SecretStore', 'Its kind.', { type: 'string', enum: ['SecretStore', 'ClusterSecretStore'] }),
  }),
  refreshInterval: text('5m', 'How often the store is looked at.', DURATION),
  annotations: texts('Annotations of the ExternalSecret.'),
  data: externalValues,
})

const rrsa = group('Role of the pods by RRSA, instead of an access key.', {
  roleName: text(
    '',
    'Name of the RAM role, where the add-on ack-pod-identity-webhook gives it to the pods. Without the add-on set ' +
      '`settings.ALIBABA_CLOUD_ROLE_ARN` and `settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN` instead.',
  ),
  tokenExpirationSeconds: count(3_600, 'How long the token lives where the chart mounts it.', 600),
})

const serviceAccount = group('The ServiceAccount. Its own token is not mounted.', {
  create: flag(true, 'Whether the chart makes it.'),
  name: text('', "Its name; the release's where it is empty and the chart makes it."),
  annotations: texts('Its annotations, for example `eks.amazonaws.com/role-arn` (IRSA).'),
  labels: texts('Its labels.'),
})

const setup = group('Jobs before an install or upgrade. Both leave alone what is there.', {
  topics: group('`topics create`, with as many `partitions` as above.', {
    enabled: flag(true, 'Whether it runs.'),
    replicationFactor: count(3, 'Copies of each partition.'),
  }),
  schemas: group('`schemas register`: an incompatible change stops the upgrade.', {
    enabled: flag(true, 'Whether it runs.'),
  }),
  settings: alike('settings', 'Settings that are others for these Jobs, for example another Kafka user.'),
  secrets: alike('secrets', 'Secrets that are others for these Jobs.'),
  files: alike('files', 'Files that are others for these Jobs.'),
  activeDeadlineSeconds: count(600, 'A Job that takes longer has failed.'),
  resources: foreign('Resources of the Jobs.', {
    requests: { cpu: '100m', memory: '128Mi' },
    limits: { cpu: '1', memory: '256Mi' },
  }),
})

const autoscaling = group(
  'Replicas by the lag. More than `partitions`, or than the quota has permits, are refused.',
  {
    type: leaf('none', '`keda` (a ScaledObject), `hpa` (a metric of your adapter) or `none`.', {
      type: 'string',
      enum: ['none', 'keda', 'hpa'],
    }),
    minReplicas: count(2, 'At least so many.'),
    maxReplicas: count(4, 'At most so many.'),
    targetLag: count(1_000, 'Records of lag for each replica.'),
    stabilizationSeconds: count(600, 'So long the lag must have been low before one pod goes.', 0),
    keda: group('For KEDA.', {
      pollingInterval: count(30, 'Seconds between two looks at the lag.'),
      authenticationRef: group(
        'A TriggerAuthentication of your own, instead of one made of the Kafka login.',
        {
          name: text('', 'Its name.'),
          kind: leaf('TriggerAuthentication', 'Its kind.', {
            type: 'string',
            enum: ['TriggerAuthentication', 'ClusterTriggerAuthentication'],
          }),
        },
      ),
      annotations: texts('Annotations of the ScaledObject.'),
    }),
    hpa: group('For the HorizontalPodAutoscaler.', {
      metric: text('checkresult_consumer_lag_records', 'External metric: the sum of the lag.', {
        minLength: 1,
      }),
      selector: texts('Labels of the series.'),
    }),
  },
)

function probe(
  meaning: string,
  { period, failures }: { readonly period: number; readonly failures: number },
): Group {
  return group(meaning, {
    periodSeconds: count(period, 'Between two probes.'),
    timeoutSeconds: count(3, 'For an answer.'),
    failureThreshold: count(failures, 'So many in a row.'),
  })
}

const probes = group('Probes of the pods.', {
  startup: probe('`/livez`, until it answers once.', { period: 2, failures: 60 }),
  liveness: probe('`/livez`.', { period: 10, failures: 6 }),
  readiness: probe('`/readyz`.', { period: 5, failures: 3 }),
})

const networkPolicy = group('What may reach the pods, and what they may reach. DNS is always among it.', {
  enabled: flag(true, 'Whether there is one.'),
  metricsFrom: leaf([], 'Peers that may reach the port of health and metrics; all where it is empty.', {
    type: 'array',
    items: { type: 'object' },
  }),
  kafka: egress('The brokers; the ports of `KAFKA_BROKERS` where none are given.'),
  registry: egress('The schema registry; the port of `SCHEMA_REGISTRY_URL` where none is given.'),
  redis: egress('Redis, where the quota is counted there; 6379 where no port is given.'),
  https: egress(
    'CheckResult and what gives out credentials and tokens; 443 where no port is given, and any address but those of ' +
      'instance metadata where no peer is.',
  ),
  extraEgress: foreignList('Rules beside these.'),
})

function egress(meaning: string): Group {
  return group(meaning, {
    ports: leaf([], 'TCP ports.', PORTS),
    to: leaf([], 'Peers; anywhere where it is empty.', { type: 'array', items: { type: 'object' } }),
  })
}

function monitor(kind: string): Group {
  return group(`${kind} of the Prometheus operator.`, {
    enabled: flag(false, 'Whether there is one. Only one of the two monitors can be.'),
    interval: text('30s', 'Between two scrapes.', DURATION),
    scrapeTimeout: text('10s', 'For one scrape.', DURATION),
    labels: texts(
      'Labels by which your Prometheus selects it, for example `release: kube-prometheus-stack`.',
    ),
    annotations: texts('Its annotations.'),
  })
}

function monitoringObjects(meaning: string, labels: Readonly<Record<string, string>>): Group {
  return group(meaning, {
    enabled: flag(false, 'Whether they are there.'),
    namespace: text('', "Namespace for them; the release's where it is empty."),
    labels: texts('Labels by which they are selected.', labels),
    annotations: texts('Their annotations.'),
  })
}

const rules = monitoringObjects('Recording rules and alerts, for the Prometheus operator.', {})

export const chartValues: Group = group('', {
  settings: settingsValues,
  secrets: secretValues,
  files: fileValues,
  externalSecret,
  rrsa,
  image,
  partitions: count(
    8,
    'Partitions of the input topic: those of the topics that `setup` makes, and a bound for replicas.',
  ),
  replicas: count(2, 'Pods, where `autoscaling` is off. Those beyond partitions or permits stand by.', 0),
  autoscaling,
  setup,
  serviceAccount,
  resources: foreign('Resources of a pod.', {
    requests: { cpu: '200m', memory: '192Mi' },
    limits: { cpu: '2', memory: '256Mi' },
  }),
  heap: group('Heap of Node, in MiB. The memory limit must leave 128 beside it.', {
    oldSpaceMiB: count(64, 'Give more, and a higher limit, where producers send large batches.', 32),
    semiSpaceMiB: count(8, 'Smaller is less memory and more work.'),
  }),
  terminationGracePeriodSeconds: countOrNull(
    'From SIGTERM to SIGKILL; at least ten seconds above `SHUTDOWN_DEADLINE`, which is also what null gives.',
  ),
  probes,
  podDisruptionBudget: group('Made where there are two replicas or more.', {
    enabled: flag(true, 'Whether it is made.'),
    minAvailable: leaf(null, 'Pods, or a share of them.', CAPACITY),
    maxUnavailable: leaf(null, 'Pods, or a share of them; 1 where neither is set.', CAPACITY),
  }),
  networkPolicy,
  service: group('Headless, for `helm test` and a ServiceMonitor.', {
    enabled: flag(true, 'Whether there is one.'),
    annotations: texts('Its annotations.'),
    labels: texts('Its labels.'),
  }),
  podMonitor: monitor('PodMonitor'),
  serviceMonitor: monitor('ServiceMonitor'),
  prometheusRule: {
    ...rules,
    members: {
      ...rules.members,
      runbook: text('', 'Address of the runbook, where alerts are to lead to yours.'),
    },
  },
  dashboards: monitoringObjects("Dashboards, for the sidecar of Grafana's chart.", {
    grafana_dashboard: '1',
  }),
  runAsUser: leaf(65_532, 'User and group of the pods; null where the platform chooses (OpenShift).', {
    type: ['integer', 'null'],
    minimum: 1,
  }),
  topologySpreadConstraints: leaf(
    null,
    'Constraints of your own; null spreads softly over zones and nodes.',
    { type: ['array', 'null'], items: { type: 'object' } },
  ),
  affinity: leaf(null, 'Affinity of your own; null keeps replicas apart where that is possible.', {
    type: ['object', 'null'],
  }),
  nodeSelector: texts('Nodes to run on.'),
  tolerations: foreignList('Taints to tolerate.'),
  priorityClassName: text('', 'Priority of the pods.'),
  extraEnv: texts('Variables that are no settings of the service, for example `TZ`.'),
  extraVolumes: foreignList('Volumes beside those of the chart.'),
  extraVolumeMounts: foreignList('Where they are mounted.'),
  deploymentAnnotations: texts('Annotations of the Deployment, for example of Reloader.'),
  podAnnotations: texts('Annotations of the pods.'),
  podLabels: texts('Labels of the pods.'),
  commonLabels: texts('Labels of everything.'),
  nameOverride: text('', "Instead of the chart's name.", { maxLength: 40 }),
  fullnameOverride: text('', "Instead of the release's name with the chart's.", { maxLength: 40 }),
})
