/**
 * One exchange with where the keys come from: the vendor's library, its provider made afresh each time and asked for one
 * exchange only. What the library keeps from one to the next is not trusted: it hands out expired keys when renewing
 * fails, asks once per caller, and its chain sticks to whichever way it tried last. Its `getCredentials` tells no expiry.
 */
import type { CredentialsConfig } from '../../config/credentials.ts'
import type { ExpiringCredentials } from './renewed-credentials.ts'

export type FetchedCredentialsConfig = Exclude<CredentialsConfig, { kind: 'static' | 'sts' }>

/** As the library has it. */
interface Session {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
  readonly expiration?: string
}

/** Rejects with the library's errors, whose messages hold addresses and answers. */
export async function fetchCredentials(config: FetchedCredentialsConfig): Promise<ExpiringCredentials> {
  const { accessKeyId, accessKeySecret, securityToken, expiration } = await sessionOf(config)
  const expiresAtMs = Date.parse(expiration ?? '')
  return {
    credentials: { accessKeyId, accessKeySecret, ...(securityToken ? { securityToken } : {}) },
    expiresAtMs: Number.isNaN(expiresAtMs) ? Infinity : expiresAtMs,
  }
}

/** The library is loaded only when needed: with an access key the service does without its forty packages. */
async function sessionOf(config: FetchedCredentialsConfig): Promise<Session> {
  const library = await import('@alicloud/credentials')
  switch (config.kind) {
    case 'oidc': {
      const builder = library.OIDCRoleArnCredentialsProvider.builder()
        .withRoleArn(config.roleArn)
        .withOIDCProviderArn(config.oidcProviderArn)
        .withOIDCTokenFilePath(config.oidcTokenFile)
        .withEnableVpc(config.vpcEndpoint)
      if (config.roleSessionName !== null) builder.withRoleSessionName(config.roleSessionName)
      if (config.stsRegion !== null) builder.withStsRegionId(config.stsRegion)
      return builder.build().refresher()
    }
    case 'ecs-role':
      return library.ECSRAMRoleCredentialsProvider.builder()
        .withRoleName(config.roleName)
        .withDisableIMDSv1(config.imdsV1Disabled)
        .build()
        .refresher()
    case 'uri':
      return library.URICredentialsProvider.builder()
        .withCredentialsURI(config.uri.reveal())
        .build()
        .refresher()
    case 'profile':
      return profileSession(
        library.CLIProfileCredentialsProvider.builder().withProfileName(config.name).build(),
      )
  }
}

interface ProfileProvider {
  getCredentials(): Promise<Session>
}

/** Made from the profile's mode; keeps the session of a mode that has one. Private in the library's types. */
interface WithInner {
  readonly innerProvider?: { readonly session?: { readonly expiration?: string } }
}

async function profileSession(provider: ProfileProvider): Promise<Session> {
  const { accessKeyId, accessKeySecret, securityToken } = await provider.getCredentials()
  const expiration = (provider as ProfileProvider & WithInner).innerProvider?.session?.expiration
  return {
    accessKeyId,
    accessKeySecret,
    ...(securityToken === undefined ? {} : { securityToken }),
    ...(expiration === undefined ? {} : { expiration }),
  }
}
