/** Where the service starts to read partitions of the input topic that have no committed offset. */
export const START_OFFSETS = ['earliest', 'latest'] as const
export type StartOffset = (typeof START_OFFSETS)[number]
