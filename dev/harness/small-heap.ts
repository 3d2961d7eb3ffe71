/** Node options of a service in a 256 MB container, the same as in the chart. */
export const SMALL_HEAP: readonly string[] = ['--max-semi-space-size=8', '--max-old-space-size=64']
/** Limits the C library's allocator, which otherwise reserves memory for each thread. */
export const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' } as const
