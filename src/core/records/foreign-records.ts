/** How to treat records on the input topic that are not events. `skip` counts and ignores them. */
export const FOREIGN_RECORDS = ['skip', 'dead-letter'] as const
export type ForeignRecords = (typeof FOREIGN_RECORDS)[number]
