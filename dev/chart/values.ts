/** Every value of the chart with its default, meaning and schema. */
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

const image = group('Image of the service.', {
  repository: text('checkresult-stream', 'Registry and name of the image.', { minLength: 1 }),
  digest: text(
    '',
    'Digest of the image, `sha256:…`. It takes precedence over `tag`, so the image that was tested is the one that runs.',
    {
      pattern: '^(sha256:[a-f0-9]{64})?$',
    },
  ),
  tag: text('', "Tag of the image if there is no digest. Default: the chart's `appVersion`."),
  pullPolicy: leaf('IfNotPresent', 'Image pull policy.', {
    type: 'string',
    enum: ['Always', 'IfNotPresent', 'Never'],
  }),
  pullSecrets: leaf([], 'Names of image pull Secrets.', { type: 'array', items: { type: 'string' } }),
})

const externalSecret = group('A Secret that the External Secrets operator creates from an external store.', {
  enabled: flag(false, 'Create an ExternalSecret.'),
  store: group('The secret store.', {
    name: text('', 'Name of the store.'),
    kind: leaf('SecretStore', 'Kind of the store.', {
      type: 'string',
      enum: ['SecretStore', 'ClusterSecretStore'],
    }),
  }),
  refreshInterval: text('5m', 'How often the operator reads the store.', DURATION),
  annotations: texts('Annotations of the ExternalSecret.'),
  data: externalValues,
})

const rrsa = group('RAM role of the pods through RRSA, instead of an access key.', {
  roleName: text(
    '',
    'Name of the RAM role. Requires the add-on ack-pod-identity-webhook. Without the add-on, set ' +
      '`settings.ALIBABA_CLOUD_ROLE_ARN` and `settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN` instead.',
  ),
  tokenExpirationSeconds: count(3_600, 'Lifetime of the OIDC token if the chart mounts it.', 600),
})

const serviceAccount = group('ServiceAccount of the pods. Its API token is not mounted.', {
  create: flag(true, 'Create the ServiceAccount.'),
  name: text(
    '',
    'Name of the ServiceAccount. Default: the full name of the release if the chart creates it.',
  ),
  annotations: texts('Annotations of the ServiceAccount, for example `eks.amazonaws.com/role-arn` (IRSA).'),
  labels: texts('Labels of the ServiceAccount.'),
})

const setup = group(
  'Jobs that run before each install and upgrade. They keep existing topics and schema versions.',
  {
    topics: group('Job that runs `topics create` with the number of `partitions` above.', {
      enabled: flag(true, 'Run this Job.'),
      replicationFactor: count(3, 'Replication factor of the topics.'),
    }),
    schemas: group('Job that runs `schemas register`. An incompatible schema stops the upgrade.', {
      enabled: flag(true, 'Run this Job.'),
    }),
    settings: alike('settings', 'Settings that differ for these Jobs, for example another Kafka user.'),
    secrets: alike('secrets', 'Secrets that differ for these Jobs.'),
    files: alike('files', 'Files that differ for these Jobs.'),
    activeDeadlineSeconds: count(600, 'Deadline of each Job. A Job that takes longer fails.'),
    resources: foreign('Resources of the Jobs.', {
      requests: { cpu: '100m', memory: '128Mi' },
      limits: { cpu: '1', memory: '256Mi' },
    }),
  },
)

const autoscaling = group(
  'Autoscaling by consumer lag. `maxReplicas` must not exceed `partitions`, `CHECKRESULT_QPS` or 16.',
  {
    type: leaf(
      'none',
      '`keda` creates a ScaledObject, `hpa` a HorizontalPodAutoscaler for a metric of your metrics adapter. `none` disables autoscaling.',
      {
        type: 'string',
        enum: ['none', 'keda', 'hpa'],
      },
    ),
    minReplicas: count(2, 'Minimum number of replicas.'),
    maxReplicas: count(4, 'Maximum number of replicas.'),
    targetLag: count(1_000, 'Target lag in records per replica.'),
    stabilizationSeconds: count(600, 'Seconds for which the lag must be low before one pod is removed.', 0),
    keda: group('Options for `keda`.', {
      pollingInterval: count(30, 'Seconds between two lag checks.'),
      authenticationRef: group(
        'Your own TriggerAuthentication. By default the chart creates one from the Kafka login.',
        {
          name: text('', 'Name of the TriggerAuthentication.'),
          kind: leaf('TriggerAuthentication', 'Kind of the TriggerAuthentication.', {
            type: 'string',
            enum: ['TriggerAuthentication', 'ClusterTriggerAuthentication'],
          }),
        },
      ),
      annotations: texts('Annotations of the ScaledObject.'),
    }),
    hpa: group('Options for `hpa`.', {
      metric: text('checkresult_consumer_lag_records', 'Name of the external metric with the total lag.', {
        minLength: 1,
      }),
      selector: texts('Labels that select the series of the metric.'),
    }),
  },
)

function probe(
  meaning: string,
  { period, failures }: { readonly period: number; readonly failures: number },
): Group {
  return group(meaning, {
    periodSeconds: count(period, 'Seconds between two probes.'),
    timeoutSeconds: count(3, 'Seconds to wait for an answer.'),
    failureThreshold: count(failures, 'Failed probes in a row before Kubernetes acts.'),
  })
}

const probes = group('Probes of the pods.', {
  startup: probe('Startup probe: `/livez`.', { period: 2, failures: 60 }),
  liveness: probe('Liveness probe: `/livez`.', { period: 10, failures: 6 }),
  readiness: probe('Readiness probe: `/readyz`.', { period: 5, failures: 3 }),
})

const networkPolicy = group(
  'NetworkPolicy: which peers may reach the pods, and which peers the pods may reach. DNS is always allowed.',
  {
    enabled: flag(true, 'Create NetworkPolicies.'),
    metricsFrom: leaf([], 'Peers that may reach the port for health and metrics. Empty allows all.', {
      type: 'array',
      items: { type: 'object' },
    }),
    kafka: egress('Kafka brokers. Default ports: those in `KAFKA_BROKERS`. Default peers: any address.'),
    registry: egress(
      'Schema registry. Default port: the one in `SCHEMA_REGISTRY_URL`. Default peers: any address.',
    ),
    redis: egress(
      'Redis, if `CHECKRESULT_QUOTA` is `redis`. Default port: 6379. Default peers: any address.',
    ),
    https: egress(
      'CheckResult, STS and token endpoints. Default ports: 443 and those in the URLs of the settings. Default peers: any address ' +
        'except the instance metadata.',
    ),
    extraEgress: foreignList('Additional egress rules.'),
  },
)

function egress(meaning: string): Group {
  return group(meaning, {
    ports: leaf([], 'TCP ports. Empty uses the default.', PORTS),
    to: leaf([], 'Peers. Empty uses the default.', { type: 'array', items: { type: 'object' } }),
  })
}

function monitor(kind: string): Group {
  return group(`${kind} of the Prometheus operator.`, {
    enabled: flag(false, 'Create it. Only one of `podMonitor` and `serviceMonitor` can be enabled.'),
    interval: text('30s', 'Time between two scrapes.', DURATION),
    scrapeTimeout: text('10s', 'Timeout of a scrape.', DURATION),
    labels: texts(
      'Labels by which your Prometheus selects it, for example `release: kube-prometheus-stack`.',
    ),
    annotations: texts('Annotations of the monitor.'),
  })
}

function monitoringObjects(meaning: string, labels: Readonly<Record<string, string>>): Group {
  return group(meaning, {
    enabled: flag(false, 'Create these objects.'),
    namespace: text('', 'Namespace of these objects. Default: the namespace of the release.'),
    labels: texts('Labels of these objects, by which Prometheus or Grafana selects them.', labels),
    annotations: texts('Annotations of these objects.'),
  })
}

const rules = monitoringObjects(
  'PrometheusRule with recording rules and alerts, for the Prometheus operator.',
  {},
)

export const chartValues: Group = group('', {
  settings: settingsValues,
  secrets: secretValues,
  files: fileValues,
  externalSecret,
  rrsa,
  image,
  partitions: count(
    8,
    'Partitions of the input topic. `setup.topics` creates topics with this number. At most this many replicas make calls, and at most 16.',
  ),
  replicas: count(
    2,
    'Number of pods if `autoscaling.type` is `none`. Replicas in excess of partitions, permits or 16 are hot standbys.',
    0,
  ),
  autoscaling,
  staticMembership: flag(
    true,
    "Use the pod's name as `KAFKA_GROUP_INSTANCE_ID`, so that a container that is killed and restarted in its pod gets its " +
      'partitions back at once. Requires Kafka 2.3 or newer.',
  ),
  setup,
  serviceAccount,
  resources: foreign('Resources of each pod.', {
    requests: { cpu: '200m', memory: '192Mi' },
    limits: { cpu: '2', memory: '256Mi' },
  }),
  heap: group(
    'Heap of Node.js in MiB. The memory limit must be at least 128 MiB larger than `oldSpaceMiB`.',
    {
      oldSpaceMiB: count(
        64,
        'Old space. Increase it, and the memory limit, if producers send large batches.',
        32,
      ),
      semiSpaceMiB: count(8, 'Semi-space. A smaller one uses less memory and more CPU.'),
    },
  ),
  terminationGracePeriodSeconds: countOrNull(
    'Seconds from SIGTERM to SIGKILL: at least ten more than `SHUTDOWN_DEADLINE`. Null uses exactly that minimum.',
  ),
  probes,
  podDisruptionBudget: group('PodDisruptionBudget, created if there are at least two replicas.', {
    enabled: flag(true, 'Create it.'),
    minAvailable: leaf(null, 'Minimum number or percentage of available pods.', CAPACITY),
    maxUnavailable: leaf(
      null,
      'Maximum number or percentage of unavailable pods. 1 if neither is set.',
      CAPACITY,
    ),
  }),
  networkPolicy,
  service: group('Headless Service, for `helm test` and a ServiceMonitor.', {
    enabled: flag(true, 'Create it.'),
    annotations: texts('Annotations of the Service.'),
    labels: texts('Labels of the Service.'),
  }),
  podMonitor: monitor('PodMonitor'),
  serviceMonitor: monitor('ServiceMonitor'),
  prometheusRule: {
    ...rules,
    members: {
      ...rules.members,
      runbook: text(
        '',
        'URL of your copy of the runbook. The `runbook_url` of each alert then points to it.',
      ),
    },
  },
  dashboards: monitoringObjects("ConfigMaps with the dashboards, for the sidecar of Grafana's chart.", {
    grafana_dashboard: '1',
  }),
  runAsUser: leaf(65_532, 'User and group id of the pods. Null lets the platform choose (OpenShift).', {
    type: ['integer', 'null'],
    minimum: 1,
  }),
  topologySpreadConstraints: leaf(
    null,
    'Topology spread constraints. Null prefers to spread over zones and nodes.',
    { type: ['array', 'null'], items: { type: 'object' } },
  ),
  affinity: leaf(null, 'Affinity. Null prefers different nodes for the replicas.', {
    type: ['object', 'null'],
  }),
  nodeSelector: texts('Node selector of the pods.'),
  tolerations: foreignList('Tolerations of the pods.'),
  priorityClassName: text('', 'Priority class of the pods.'),
  extraEnv: texts('Environment variables that are not settings of the service, for example `TZ`.'),
  extraVolumes: foreignList('Additional volumes.'),
  extraVolumeMounts: foreignList('Additional volume mounts.'),
  deploymentAnnotations: texts('Annotations of the Deployment, for example for Reloader.'),
  podAnnotations: texts('Annotations of the pods.'),
  podLabels: texts('Labels of the pods.'),
  commonLabels: texts('Labels of all objects.'),
  nameOverride: text('', 'Replaces the name of the chart in object names.', { maxLength: 40 }),
  fullnameOverride: text('', 'Replaces the full name, which is made of the release and the chart.', {
    maxLength: 40,
  }),
})
