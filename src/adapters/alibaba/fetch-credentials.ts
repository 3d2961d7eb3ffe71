/**
 * Fetches credentials once from their source. It uses the vendor's library, but creates a new provider for each
 * fetch, because the library's cache is not reliable: it returns expired keys if renewing fails, sends one request
 * per caller, and its chain sticks to the source it tried last. Its `getCredentials` also reports no expiry.
 */
import type { CredentialsConfig } from '../../config/credentials.ts'
import type { ExpiringCredentials } from './renewed-credentials.ts'

export type FetchedCredentialsConfig = Exclude<CredentialsConfig, { kind: 'static' | 'sts' }>

/** The library's own shape. */
interface Session {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
  readonly expiration?: string
}

/** Rejects with the library's errors, whose messages contain addresses and responses. */
export async function fetchCredentials(config: FetchedCredentialsConfig): Promise<ExpiringCredentials> {
  const { accessKeyId, accessKeySecret, securityToken, expiration } = await sessionOf(config)
  const expiresAtMs = Date.parse(expiration ?? '')
  return {
    credentials: { accessKeyId, accessKeySecret, ...(securityToken ? { securityToken } : {}) },
    expiresAtMs: Number.isNaN(expiresAtMs) ? Infinity : expiresAtMs,
  }
}

/** Loads the library on demand, because an access key does not need its forty packages. */
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

/**
 * The provider of the profile's mode, which keeps the session if the mode has one. Private in the library's types.
 */
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
