/**
 * Chooses the only credential source that the service uses, by what is set. The vendor's own chain tries one source after the other
 * and keeps the last one, even if it failed. The order is the same as there, so that the variables mean the same.
 */
import { onlySomeSet } from './errors.ts'
import type { Secret } from './secret.ts'
import type { SettingName, Values } from './settings.ts'

export type CredentialsConfig =
  | { readonly kind: 'static'; readonly accessKeyId: Secret; readonly accessKeySecret: Secret }
  | {
      readonly kind: 'sts'
      readonly accessKeyId: Secret
      readonly accessKeySecret: Secret
      readonly securityToken: Secret
    }
  | {
      readonly kind: 'oidc'
      readonly roleArn: string
      readonly oidcProviderArn: string
      readonly oidcTokenFile: string
      readonly roleSessionName: string | null
      readonly stsRegion: string | null
      readonly vpcEndpoint: boolean
    }
  | { readonly kind: 'profile'; readonly name: string }
  | { readonly kind: 'ecs-role'; readonly roleName: string; readonly imdsV1Disabled: boolean }
  | { readonly kind: 'uri'; readonly uri: Secret }

interface CredentialKind {
  readonly title: string
  readonly needs: readonly SettingName[]
  /** If one of them is set without the others, this source was meant. */
  readonly hints?: readonly SettingName[]
}

const CREDENTIAL_KINDS: readonly CredentialKind[] = [
  {
    title: 'an access key',
    needs: ['ALIBABA_CLOUD_ACCESS_KEY_ID', 'ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
    hints: ['ALIBABA_CLOUD_SECURITY_TOKEN'],
  },
  {
    title: 'a RAM role by OIDC (RRSA)',
    needs: ['ALIBABA_CLOUD_ROLE_ARN', 'ALIBABA_CLOUD_OIDC_PROVIDER_ARN', 'ALIBABA_CLOUD_OIDC_TOKEN_FILE'],
  },
  { title: 'a profile of the Alibaba Cloud CLI', needs: ['ALIBABA_CLOUD_PROFILE'] },
  { title: 'the RAM role of the ECS instance', needs: ['ALIBABA_CLOUD_ECS_METADATA'] },
  { title: 'a credentials URI', needs: ['ALIBABA_CLOUD_CREDENTIALS_URI'] },
]

/** Reports sources that are only set in part, or that there is none. `isSet` also holds for invalid values. */
export function credentialErrors(isSet: (name: SettingName) => boolean): string[] {
  const partial = CREDENTIAL_KINDS.flatMap((kind) => {
    const begun = [...kind.needs, ...(kind.hints ?? [])].filter(isSet)
    const lacking = kind.needs.filter((name) => !isSet(name))
    return begun.length === 0 || lacking.length === 0 ? [] : [onlySomeSet(begun, lacking)]
  })
  if (partial.length > 0 || CREDENTIAL_KINDS.some((kind) => kind.needs.some(isSet))) return partial
  const kinds = CREDENTIAL_KINDS.map(({ title, needs }) => `${title} (${needs.join(' and ')})`)
  return [`No Alibaba Cloud credentials are set. Expected one of these: ${kinds.join(', ')}.`]
}

/** Call it only if {@link credentialErrors} reports nothing. */
export function chooseCredentials(values: Values): CredentialsConfig {
  const chosen = accessKey(values) ?? oidc(values) ?? others(values)
  if (chosen === null) throw new Error('No credential source is set.')
  return chosen
}

function accessKey(values: Values): CredentialsConfig | null {
  const accessKeyId = values.ALIBABA_CLOUD_ACCESS_KEY_ID
  const accessKeySecret = values.ALIBABA_CLOUD_ACCESS_KEY_SECRET
  const securityToken = values.ALIBABA_CLOUD_SECURITY_TOKEN
  if (accessKeyId === undefined || accessKeySecret === undefined) return null
  return securityToken === undefined
    ? { kind: 'static', accessKeyId, accessKeySecret }
    : { kind: 'sts', accessKeyId, accessKeySecret, securityToken }
}

function oidc(values: Values): CredentialsConfig | null {
  const roleArn = values.ALIBABA_CLOUD_ROLE_ARN
  const oidcProviderArn = values.ALIBABA_CLOUD_OIDC_PROVIDER_ARN
  const oidcTokenFile = values.ALIBABA_CLOUD_OIDC_TOKEN_FILE
  if (roleArn === undefined || oidcProviderArn === undefined || oidcTokenFile === undefined) return null
  return {
    kind: 'oidc',
    roleArn,
    oidcProviderArn,
    oidcTokenFile,
    roleSessionName: values.ALIBABA_CLOUD_ROLE_SESSION_NAME ?? null,
    stsRegion: values.ALIBABA_CLOUD_STS_REGION ?? null,
    vpcEndpoint: values.ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED,
  }
}

function others(values: Values): CredentialsConfig | null {
  const { ALIBABA_CLOUD_PROFILE: profile, ALIBABA_CLOUD_ECS_METADATA: roleName } = values
  if (profile !== undefined) return { kind: 'profile', name: profile }
  if (roleName !== undefined) {
    return { kind: 'ecs-role', roleName, imdsV1Disabled: values.ALIBABA_CLOUD_IMDSV1_DISABLED }
  }
  const uri = values.ALIBABA_CLOUD_CREDENTIALS_URI
  return uri === undefined ? null : { kind: 'uri', uri }
}

/** The chosen source, for `config check`. */
export function credentialsOrigin(credentials: CredentialsConfig): string {
  switch (credentials.kind) {
    case 'static':
      return 'access key'
    case 'sts':
      return credentials.securityToken.file === null
        ? 'temporary access key (STS), not renewed when it expires'
        : 'temporary access key (STS), read again when its files change'
    case 'oidc':
      return `RAM role ${credentials.roleArn}, assumed by OIDC`
    case 'profile':
      return `profile ${credentials.name} of the Alibaba Cloud CLI`
    case 'ecs-role':
      return `RAM role ${credentials.roleName} of the ECS instance`
    case 'uri':
      return 'credentials URI (ALIBABA_CLOUD_CREDENTIALS_URI)'
  }
}
