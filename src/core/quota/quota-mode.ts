/** How replicas share the account's quota. A closed set. */
export const QUOTA_MODES = ['partition', 'redis'] as const
export type QuotaMode = (typeof QUOTA_MODES)[number]
