import { beforeAll, describe, expect, test } from 'vitest'
import { provideHelm } from '../../dev/tools/helm.ts'
import { SETTING_NAMES } from '../../src/config/settings.ts'
import { FULL, refusal, renderText, type Values } from './support/chart.ts'

beforeAll(provideHelm)

const DIGEST = `sha256:${'0'.repeat(64)}`
const KEDA = { 'autoscaling.type': 'keda' }
const ROLE = {
  'settings.ALIBABA_CLOUD_ROLE_ARN': 'acs:ram::1:role/x',
  'settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN': 'acs:ram::1:oidc-provider/x',
}
const NO_KEY = { secrets: {} }

test('without any values, all missing values are reported at once', async () => {
  const said = await refusal({}, [])
  expect(said).toContain(
    'settings.KAFKA_BROKERS is not set: expected a comma-separated list of host:port, without scheme or IPv6 literals, ' +
      'for example kafka-1.example:9092,kafka-2.example:9092.',
  )
  expect(said).toContain('settings.SCHEMA_REGISTRY_URL is not set: expected')
  expect(said).toContain('No Alibaba Cloud credentials are set. Set an access key')
})

const REFUSED: readonly (readonly [string, Values, string])[] = [
  [
    'more replicas than partitions',
    { ...KEDA, partitions: 3, 'autoscaling.maxReplicas': 4 },
    'autoscaling.maxReplicas is 4, but the input topic has 3 partitions. Set it to the number of partitions or less: additional replicas would have nothing to read.',
  ],
  [
    'more replicas than shards',
    { ...KEDA, partitions: 64, 'autoscaling.maxReplicas': 17, 'settings.CHECKRESULT_QPS': 50 },
    'autoscaling.maxReplicas is 17, but partitions are assigned in 16 shards. Set it to 16 or less: additional replicas would have nothing to read.',
  ],
  [
    'one instance id for all pods',
    { 'settings.KAFKA_GROUP_INSTANCE_ID': 'checkresult-0' },
    'settings.KAFKA_GROUP_INSTANCE_ID would be the same for all pods, but each needs its own. Remove it: staticMembership uses the name of the pod.',
  ],
  [
    'more replicas than permits',
    { 'autoscaling.type': 'hpa', 'settings.CHECKRESULT_QPS': 3 },
    'autoscaling.maxReplicas is 4, but settings.CHECKRESULT_QPS is 3. Set it to CHECKRESULT_QPS or less: additional replicas would have no share of the quota.',
  ],
  [
    'more replicas than permits by default',
    { ...KEDA, partitions: 32, 'autoscaling.maxReplicas': 11 },
    'autoscaling.maxReplicas is 11, but settings.CHECKRESULT_QPS is 10. ',
  ],
  [
    'a minimum above the maximum',
    { ...KEDA, 'autoscaling.minReplicas': 5 },
    'autoscaling.minReplicas is 5, but autoscaling.maxReplicas is 4. ',
  ],
  [
    'a grace period that is shorter than the shutdown',
    { terminationGracePeriodSeconds: 34 },
    'terminationGracePeriodSeconds is 34, but the service may need SHUTDOWN_DEADLINE=25s to stop. Set it to at least 35, or to null.',
  ],
  [
    'a grace period that is too short for a longer shutdown deadline',
    { terminationGracePeriodSeconds: 60, 'settings.SHUTDOWN_DEADLINE': '50001ms' },
    'SHUTDOWN_DEADLINE=50001ms to stop. Set it to at least 61, or to null.',
  ],
  [
    'a heap that does not fit the memory limit',
    { 'heap.oldSpaceMiB': 200 },
    'resources.limits.memory is 256Mi, but heap.oldSpaceMiB is 200. Set the limit to at least 328Mi: the heap and 128 MiB for everything else.',
  ],
  [
    'both monitors enabled',
    { 'podMonitor.enabled': true, 'serviceMonitor.enabled': true },
    'podMonitor.enabled and serviceMonitor.enabled are both true',
  ],
  [
    'a ServiceMonitor without a Service',
    { 'serviceMonitor.enabled': true, 'service.enabled': false },
    'serviceMonitor.enabled is true, but service.enabled is false',
  ],
  [
    'both bounds of a disruption budget',
    { 'podDisruptionBudget.minAvailable': 1, 'podDisruptionBudget.maxUnavailable': 1 },
    'podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set. Set only one of them.',
  ],
  [
    'the tag latest',
    { 'image.tag': 'latest' },
    'image.tag is latest, which can be a different image at the next pull.',
  ],
  [
    'no name of an existing ServiceAccount',
    { 'serviceAccount.create': false },
    'serviceAccount.create is false, but serviceAccount.name is not set',
  ],
  ['no credentials', NO_KEY, 'No Alibaba Cloud credentials are set'],
  [
    'half an access key',
    { secrets: { ALIBABA_CLOUD_ACCESS_KEY_ID: 'aliyun/id' } },
    'Only half of the access key is set.',
  ],
  [
    'an access key and an OIDC role',
    ROLE,
    'Several sources of credentials are set: an access key and settings.ALIBABA_CLOUD_ROLE_ARN. Keep only one of them.',
  ],
  [
    'an access key and RRSA',
    { 'rrsa.roleName': 'checkresult' },
    'Several sources of credentials are set: an access key and rrsa.roleName. Keep only one of them.',
  ],
  [
    'half an OIDC role',
    { ...NO_KEY, 'settings.ALIBABA_CLOUD_ROLE_ARN': 'acs:ram::1:role/x' },
    'Only half of the OIDC role is set.',
  ],
  [
    'a store without a name',
    { 'externalSecret.enabled': true, 'externalSecret.data.KAFKA_SASL_PASSWORD.key': 'x' },
    'externalSecret.store.name is not set',
  ],
  [
    'an ExternalSecret without data',
    { 'externalSecret.enabled': true, 'externalSecret.store.name': 'vault' },
    'externalSecret.data is empty',
  ],
  [
    'data of a disabled ExternalSecret',
    { 'externalSecret.data.KAFKA_SASL_PASSWORD.key': 'x' },
    'externalSecret.data is set, but externalSecret.enabled is false',
  ],
  [
    'a secret that is set twice',
    {
      'externalSecret.enabled': true,
      'externalSecret.store.name': 'vault',
      'externalSecret.data.ALIBABA_CLOUD_ACCESS_KEY_ID.key': 'x',
    },
    'ALIBABA_CLOUD_ACCESS_KEY_ID is set twice, in secrets and in externalSecret.data',
  ],
  ...(['1h', '1d', '1ms', '999999999d'] as const).map(
    (text) =>
      [
        `a shutdown deadline of ${text}`,
        { 'settings.SHUTDOWN_DEADLINE': text },
        `settings.SHUTDOWN_DEADLINE is "${text}". Expected a duration from 1s to 10m with its unit (ms, s, m, h or d), for example SHUTDOWN_DEADLINE=25s.`,
      ] as const,
  ),
  ['a window that is too long', { 'settings.DEDUPE_WINDOW': '31d' }, 'settings.DEDUPE_WINDOW is "31d". '],
  [
    'a timeout longer than the shutdown deadline',
    { 'settings.CHECKRESULT_TIMEOUT': '30s' },
    'settings.SHUTDOWN_DEADLINE is 25s, but CHECKRESULT_TIMEOUT is 30s. Expected at least 5s more than one call may take, for example SHUTDOWN_DEADLINE=35s.',
  ],
  [
    'a shutdown deadline that is too short for the timeout',
    { 'settings.SHUTDOWN_DEADLINE': '10s' },
    'settings.SHUTDOWN_DEADLINE is 10s, but CHECKRESULT_TIMEOUT is 8s. Expected at least 5s more than one call may take, for example SHUTDOWN_DEADLINE=13s.',
  ],
  [
    'a renamed setting in extraEnv',
    { 'extraEnv.SHUTDOWN_DEADLINE_MS': '25000' },
    'extraEnv.SHUTDOWN_DEADLINE_MS was renamed: set settings.SHUTDOWN_DEADLINE instead.',
  ],
  ['a random port', { 'settings.OPS_PORT': 0 }, 'settings.OPS_PORT is 0'],
  ['a loopback listen address', { 'settings.OPS_HOST': '127.0.0.1' }, 'settings.OPS_HOST is 127.0.0.1'],
  [
    'a setting in extraEnv',
    { 'extraEnv.CHECKRESULT_QPS': '100' },
    'extraEnv.CHECKRESULT_QPS is a setting of the service',
  ],
  [
    'a plain-text secret in extraEnv',
    { 'extraEnv.ALIBABA_CLOUD_ACCESS_KEY_SECRET': 'fictitious' },
    'extraEnv.ALIBABA_CLOUD_ACCESS_KEY_SECRET is a setting of the service',
  ],
  [
    'KEDA with a token file in the pod',
    {
      ...KEDA,
      'settings.KAFKA_SASL_MECHANISM': 'oauthbearer',
      'files.KAFKA_SASL_OAUTH_TOKEN_FILE.serviceAccountToken.audience': 'kafka',
    },
    'KEDA cannot log in to Kafka with a token from a file',
  ],
  [
    'KEDA with a certificate file in the pod',
    { ...KEDA, 'settings.KAFKA_TLS': true, 'files.KAFKA_TLS_CA_FILE.path': '/ca.crt' },
    'KEDA cannot read files.KAFKA_TLS_CA_FILE from inside the pod',
  ],
]

describe('rejected with one message', () => {
  test.each(REFUSED)('%s', async (_, values, message) => {
    const said = await refusal(values)
    expect(said).toContain(message)
    const messages = said.split('\n').filter((line) => line !== '' && !/^(Error|Use --debug)/.test(line))
    expect(messages, `Helm says: ${said}`).toHaveLength(1)
  })
})

const SETTINGS: readonly string[] = SETTING_NAMES

describe.runIf(SETTINGS.includes('CHECKRESULT_QUOTA'))('a quota in Redis', () => {
  const redis = { 'settings.CHECKRESULT_QUOTA': 'redis' }

  test('needs the address of Redis', async () => {
    expect(await refusal(redis)).toContain(
      'settings.CHECKRESULT_QUOTA is redis, but the address of Redis is not set. Set secrets.REDIS_URL to a key in a Secret, as NAME/KEY.',
    )
  })

  test('is allowed by the network policy', async () => {
    const text = await renderText({ values: { ...redis, 'secrets.REDIS_URL': 'redis/url' } })
    expect(text).toContain('port: 6379')
    expect(text).toContain('REDIS_URL_FILE: "/etc/checkresult/REDIS_URL"')
  })
})

const SCHEMA_REFUSES: readonly (readonly [string, Values, RegExp])[] = [
  ['an unknown setting', { 'settings.KAFKA_BROKER': 'x' }, /'\/settings'.*'KAFKA_BROKER' not allowed/],
  ['a secret under settings', { 'settings.KAFKA_SASL_PASSWORD': 'x' }, /'KAFKA_SASL_PASSWORD' not allowed/],
  ['a setting under secrets', { 'secrets.KAFKA_BROKERS': 'a/b' }, /'\/secrets'.*'KAFKA_BROKERS' not allowed/],
  [
    'a secret value instead of a reference',
    { 'secrets.KAFKA_SASL_PASSWORD': 'p4ss w0rd' },
    /does not match pattern/,
  ],
  ['a number out of range', { 'settings.CHECKRESULT_QPS': 0 }, /CHECKRESULT_QPS.*(minimum|anyOf)/],
  ['a value that is not in the list', { 'settings.RESULT_PII': 'hide' }, /value must be one of 'include'/],
  [
    'a text instead of a number',
    { 'settings.CHECKRESULT_MAX_IN_FLIGHT': 'many' },
    /got string, want integer/,
  ],
  ['a duration without a unit', { 'settings.CHECKRESULT_TIMEOUT': 8_000 }, /got number, want string/],
  ['a duration with an unknown unit', { 'settings.SHUTDOWN_DEADLINE': '25sec' }, /does not match pattern/],
  ['delays without units', { 'settings.DEFER_DELAYS': '10,60' }, /DEFER_DELAYS.*does not match pattern/],
  [
    'a list of delays without units',
    { 'settings.DEFER_DELAYS': ['10s', '60'] },
    /DEFER_DELAYS.*does not match pattern/,
  ],
  ['a file with two sources', { 'files.KAFKA_TLS_CA_FILE': { secret: 'a/b', path: '/x' } }, /maxProperties/],
  ['a file without a source', { 'files.KAFKA_TLS_CA_FILE': {} }, /minProperties/],
  ['an invalid digest', { 'image.digest': 'sha256:abc' }, /\/image\/digest/],
  ['an unknown autoscaler', { 'autoscaling.type': 'cpu' }, /value must be one of 'none'/],
  ['an unknown top-level value', { replica: 3 }, /'replica' not allowed/],
  ['an unknown nested value', { 'image.tags': 'x' }, /'\/image'.*'tags' not allowed/],
  [
    'an unknown setting for the setup Jobs',
    { 'setup.settings.X': '1' },
    /'\/setup\/settings'.*'X' not allowed/,
  ],
  ['the root user', { runAsUser: 0 }, /\/runAsUser.*minimum/],
]

describe('rejected by the schema', () => {
  test.each(SCHEMA_REFUSES)('%s', async (_, values, words) => {
    expect(await refusal(values)).toMatch(words)
  })
})

describe('accepted', () => {
  const ACCEPTED: readonly (readonly [string, Values])[] = [
    ['as many replicas as permits', { ...KEDA, partitions: 32, 'autoscaling.maxReplicas': 10 }],
    [
      'as many replicas as shards without a limit',
      { ...KEDA, partitions: 32, 'autoscaling.maxReplicas': 16, 'settings.CHECKRESULT_QPS': 'unlimited' },
    ],
    ['hot standbys', { replicas: 30 }],
    ['the tag latest together with a digest', { 'image.tag': 'latest', 'image.digest': DIGEST }],
    ['a memory limit in Gi', { 'resources.limits.memory': '1Gi', 'heap.oldSpaceMiB': 512 }],
    ['no resource limits', { 'resources.limits': null }],
    ['no user id, for OpenShift', { runAsUser: null }],
    ['lists as comma-separated text', { 'settings.KAFKA_BROKERS': 'a:1,b:2' }],
    ['delays as a list', { 'settings.DEFER_DELAYS': ['10s', '1m'] }],
    ['delays as text with spaces', { 'settings.DEFER_DELAYS': '10s, 1m' }],
    ['zero with a unit', { 'settings.CHECKRESULT_QPS_GUARD': '0ms' }],
    ['a quoted off', { 'settings.DEDUPE_WINDOW': 'off' }],
    ['the longest durations', { 'settings.SHUTDOWN_DEADLINE': '10m', 'settings.CHECKRESULT_TIMEOUT': '55s' }],
    ['global values of a parent chart', { 'global.x': 1 }],
    [
      'KEDA with your own TriggerAuthentication',
      {
        ...KEDA,
        'autoscaling.keda.authenticationRef.name': 'mine',
        'files.KAFKA_TLS_CA_FILE.path': '/ca.crt',
      },
    ],
  ]

  test.each(ACCEPTED)('%s', async (_, values) => {
    expect(await refusal(values)).toBe('')
  })

  test('all options that can be combined', async () => {
    expect(await refusal({}, [FULL])).toBe('')
  })
})

test('a Kubernetes version that is too old is rejected', async () => {
  await expect(renderText({ kubeVersion: '1.28.9' })).rejects.toThrow(/requires kubeVersion: >=1\.29\.0-0/)
})
