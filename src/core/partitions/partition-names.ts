/**
 * Formats partitions for the log, which lets only this form through: `verification.completed [0 1 2], other [5]`. Pure.
 */
export function partitionNames(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): string {
  return [...Map.groupBy(partitions, ({ topic }) => topic)]
    .map(([topic, all]) => `${topic} [${numbers(all)}]`)
    .join(', ')
}

function numbers(all: readonly { readonly partition: number }[]): string {
  return all
    .map(({ partition }) => partition)
    .toSorted((left, right) => left - right)
    .join(' ')
}
