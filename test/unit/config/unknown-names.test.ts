import { describe, expect, test } from 'vitest'
import { SECRET, errorOf, errorsOf } from './environments.ts'

describe('names', () => {
  test.each([
    ['CHECKRESULT_QPSS', 'CHECKRESULT_QPS'],
    ['CHECKRESULT_TIMEOUT_MS', 'CHECKRESULT_TIMEOUT'],
    ['DEFER_DELAY', 'DEFER_DELAYS'],
    ['RESULT_PPI', 'RESULT_PII'],
    ['OPS_PROT', 'OPS_PORT'],
    ['KAFKA_BROKER', 'KAFKA_BROKERS'],
    ['KAFKA_SASL_PASSWORD_FILES', 'KAFKA_SASL_PASSWORD_FILE'],
    ['SCHEMA_REGISTRY_URI', 'SCHEMA_REGISTRY_URL'],
    ['ALIBABA_CLOUD_ACCESS_KEY_SECERT', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  ])('%s is taken for a misspelt %s, its value unseen', (misspelt, meant) => {
    const error = errorOf({ [misspelt]: SECRET })
    expect(error).toBe(`${misspelt} is no setting of checkresult-stream: did you mean ${meant}?`)
  })

  test('other tools may have settings of their own, and Kubernetes its service links', () => {
    const others = {
      KAFKA_HEAP_OPTS: '-Xmx1g',
      KAFKA_OPTS: '-Dx=y',
      KAFKA_PORT: 'tcp://10.0.0.1:9092',
      SCHEMA_REGISTRY_HEAP_OPTS: '-Xmx1g',
      ALIBABA_CLOUD_REGION_ID: 'cn-hongkong',
      CHECKRESULT_STREAM_SERVICE_HOST: '10.0.0.2',
      CHECKRESULT_STREAM_SERVICE_PORT_METRICS: '9464',
      CHECKRESULT_STREAM_PORT: 'tcp://10.0.0.2:9464',
      CHECKRESULT_STREAM_PORT_9464_TCP_ADDR: '10.0.0.2',
      OPSWORKS: 'x',
      CHECKRESULT_CACHE_DIR: '/cache',
      CHECKRESULT_REVISION: 'abc1234',
      PATH: '/bin',
    }
    expect(errorsOf(others)).toEqual([])
  })
})
