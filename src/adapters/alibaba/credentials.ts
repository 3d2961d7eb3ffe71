/**
 * Where the signature's keys come from: the one way the settings chose, never the vendor's chain, which sticks to
 * whichever provider it tried last. The library fetches and renews; it is asked by one call at a time, and its answer
 * serves for a while without asking.
 */
import type { CredentialsConfig } from '../../config/credentials.ts'
import type { Log } from '../../ports.ts'
import type { Credentials } from './sign-v3.ts'

/** At once while they are at hand; null when there are none to be had. Does not reject. */
export type CredentialSource = () => Credentials | null | Promise<Credentials | null>

/** The library renews a quarter of an hour ahead: asking it this often misses nothing. */
const FRESH_MS = 60_000

export async function createCredentialSource(config: CredentialsConfig, log: Log): Promise<CredentialSource> {
  if (config.kind === 'static' || config.kind === 'sts') {
    const credentials: Credentials = {
      accessKeyId: config.accessKeyId.reveal(),
      accessKeySecret: config.accessKeySecret.reveal(),
      ...(config.kind === 'sts' ? { securityToken: config.securityToken.reveal() } : {}),
    }
    return () => credentials
  }
  const provider = await createProvider(config)
  let held: { credentials: Credentials; untilMs: number } | null = null
  let asking: Promise<Credentials | null> | null = null

  async function ask(): Promise<Credentials | null> {
    try {
      const { accessKeyId, accessKeySecret, securityToken } = await provider.getCredentials()
      const credentials = { accessKeyId, accessKeySecret, ...(securityToken ? { securityToken } : {}) }
      held = { credentials, untilMs: Date.now() + FRESH_MS }
      return credentials
    } catch {
      // The library's messages hold URLs and answers; the kind of the provider is enough to look it up.
      log.error('No credentials could be had; calls wait until they can.', { reason: config.kind })
      return null
    } finally {
      asking = null
    }
  }

  return () => (held !== null && Date.now() < held.untilMs ? held.credentials : (asking ??= ask()))
}

interface Provider {
  getCredentials(): Promise<{ accessKeyId: string; accessKeySecret: string; securityToken?: string }>
}

/** Loaded only when needed: with an access key the service does without its forty packages. */
async function createProvider(
  config: Exclude<CredentialsConfig, { kind: 'static' | 'sts' }>,
): Promise<Provider> {
  const { default: library } = await import('@alicloud/credentials')
  switch (config.kind) {
    case 'oidc': {
      const builder = library.OIDCRoleArnCredentialsProvider.builder()
        .withRoleArn(config.roleArn)
        .withOIDCProviderArn(config.oidcProviderArn)
        .withOIDCTokenFilePath(config.oidcTokenFile)
        .withEnableVpc(config.vpcEndpoint)
      if (config.roleSessionName !== null) builder.withRoleSessionName(config.roleSessionName)
      if (config.stsRegion !== null) builder.withStsRegionId(config.stsRegion)
      return builder.build()
    }
    case 'ecs-role':
      return library.ECSRAMRoleCredentialsProvider.builder()
        .withRoleName(config.roleName)
        .withDisableIMDSv1(config.imdsV1Disabled)
        .build()
    case 'uri':
      return library.URICredentialsProvider.builder().withCredentialsURI(config.uri.reveal()).build()
    case 'profile':
      return library.CLIProfileCredentialsProvider.builder().withProfileName(config.name).build()
  }
}
