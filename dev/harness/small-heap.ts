/** What a service in a container of 256 MB is given, as the chart has it. */
export const SMALL_HEAP: readonly string[] = ['--max-semi-space-size=8', '--max-old-space-size=64']
/** Of the C library's allocator, which else keeps memory for each thread. */
export const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' } as const
