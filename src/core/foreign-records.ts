/** What becomes of records on the input topic that are not events. `skip` counts them and moves on. */
export const FOREIGN_RECORDS = ['skip', 'dead-letter'] as const
export type ForeignRecords = (typeof FOREIGN_RECORDS)[number]
