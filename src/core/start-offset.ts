/** Where partitions of the input topic without a committed offset start. */
export const START_OFFSETS = ['earliest', 'latest'] as const
export type StartOffset = (typeof START_OFFSETS)[number]
