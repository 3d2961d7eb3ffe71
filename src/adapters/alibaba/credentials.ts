/**
 * Creates the credential provider for the source that the settings choose. Unlike the vendor's chain, it never
 * falls back to another source. Keys from files are read again when the files change; all others are renewed before
 * they expire.
 */
import type { CredentialsConfig } from '../../config/credentials.ts'
import type { ReadText } from '../../config/environment.ts'
import type { Secret } from '../../config/secret.ts'
import type { Clock, Log, Metrics } from '../../ports.ts'
import { createFileSecrets } from '../secret-file.ts'
import type { CredentialProvider } from './credential-provider.ts'
import { fetchCredentials, type FetchedCredentialsConfig } from './fetch-credentials.ts'
import { RenewedCredentials, type RenewalOptions } from './renewed-credentials.ts'
import type { Credentials } from './sign-v3.ts'

export interface CredentialProviderOptions {
  readonly config: CredentialsConfig
  readonly readText: ReadText
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'credentialRefresh' | 'credentialsExpire'>
}

/** The caller closes it. */
export function createCredentialProvider(options: CredentialProviderOptions): CredentialProvider {
  const { config, clock, log, metrics } = options
  switch (config.kind) {
    case 'static':
    case 'sts': {
      const { kind: _, ...keys } = config
      return fromFiles(keys, options)
    }
    default:
      return new RenewedCredentials({
        obtain: () => fetchCredentials(config),
        ...SOURCES[config.kind],
        clock,
        log,
        metrics,
      })
  }
}

type Source = Pick<RenewalOptions, 'source' | 'advice'>

const SOURCES: Readonly<Record<FetchedCredentialsConfig['kind'], Source>> = {
  oidc: {
    source: 'the RAM role of the OIDC token',
    advice:
      'Check ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN, the file in ALIBABA_CLOUD_OIDC_TOKEN_FILE, and that STS is reachable.',
  },
  'ecs-role': {
    source: 'the ECS instance role',
    advice: 'Check ALIBABA_CLOUD_ECS_METADATA, and that the instance has this role.',
  },
  uri: {
    source: 'the credentials URI',
    advice: 'Check ALIBABA_CLOUD_CREDENTIALS_URI and the server behind it.',
  },
  profile: {
    source: 'the profile of the Alibaba Cloud CLI',
    advice: 'Check ALIBABA_CLOUD_PROFILE and the file .aliyun/config.json in the home directory.',
  },
}

const KEY_FILES =
  'Check the files in ALIBABA_CLOUD_ACCESS_KEY_ID_FILE, ALIBABA_CLOUD_ACCESS_KEY_SECRET_FILE and ALIBABA_CLOUD_SECURITY_TOKEN_FILE.'

/** A key and its secret change together. The returned object stays the same until they do. */
function fromFiles(
  keys: Readonly<Record<'accessKeyId' | 'accessKeySecret', Secret>>,
  { readText, clock, log, metrics }: CredentialProviderOptions,
): CredentialProvider {
  const secrets = createFileSecrets(keys, {
    readText,
    monotonicMs: () => clock.monotonicMs(),
    onProblem: (message) => {
      metrics.credentialRefresh('failed')
      log.warn(`${message} ${KEY_FILES}`)
    },
    onChange: () => {
      metrics.credentialRefresh('ok')
      log.info('The access key files have changed. New calls are signed with the new key.')
    },
  })
  return {
    current: () => secrets.current(),
    refused: (credentials: Credentials) => {
      if (credentials === secrets.current()) secrets.reread()
    },
    close: () => undefined,
  }
}
