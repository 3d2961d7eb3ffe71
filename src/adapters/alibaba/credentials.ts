/**
 * Where the signature's keys come from: the one way the settings chose, never another when it fails, unlike the vendor's
 * chain. Keys of the environment are looked at again in their files, all others are renewed before they expire.
 */
import type { CredentialsConfig } from '../../config/credentials.ts'
import type { ReadText } from '../../config/environment.ts'
import type { Secret } from '../../config/secret.ts'
import type { Clock, Log, Metrics } from '../../ports.ts'
import { createFileSecrets } from '../secret-file.ts'
import type { CredentialProvider } from './credential-provider.ts'
import { fetchCredentials, type FetchedCredentialsConfig } from './fetch-credentials.ts'
import { RenewedCredentials } from './renewed-credentials.ts'
import type { Credentials } from './sign-v3.ts'

export interface CredentialProviderOptions {
  readonly config: CredentialsConfig
  readonly readText: ReadText
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'credentialRefresh' | 'credentialsExpire'>
}

/** To be closed by whoever made it. */
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
        advice: ADVICE[config.kind],
        clock,
        log,
        metrics,
      })
  }
}

const ADVICE: Readonly<Record<FetchedCredentialsConfig['kind'], string>> = {
  oidc: 'check ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN, the token file, and that STS can be reached',
  'ecs-role': 'check ALIBABA_CLOUD_ECS_METADATA, and that the instance has this role',
  uri: 'check what answers at ALIBABA_CLOUD_CREDENTIALS_URI',
  profile: 'check ALIBABA_CLOUD_PROFILE and the file .aliyun/config.json in the home directory',
}

/** A key and its secret change together, and the object is the same while they do not. */
function fromFiles(
  keys: Readonly<Record<'accessKeyId' | 'accessKeySecret', Secret>>,
  { readText, clock, log, metrics }: CredentialProviderOptions,
): CredentialProvider {
  const secrets = createFileSecrets(keys, {
    readText,
    monotonicMs: () => clock.monotonicMs(),
    onProblem: (message) => {
      metrics.credentialRefresh('failed')
      log.warn(message)
    },
    onChange: () => {
      metrics.credentialRefresh('ok')
      log.info('The access key was read anew from its files.')
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
