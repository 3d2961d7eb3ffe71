/**
 * Files that take long begin first, so that both workers are done at the same time. vitest knows how long they took the
 * last time; in a fresh clone, where there was none, it goes by their size, which says little of those that wait.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const LONGEST = ['brokers-away', 'security', 'stack', 'dlq', 'at-least-once', 'last-line'].map(
  (name) => `/test/integration/${name}.test.ts`,
)

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((left, right) => groupOf(left) - groupOf(right) || placeOf(left) - placeOf(right))
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder
}

function placeOf({ moduleId }: TestSpecification): number {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(name))
  return at === -1 ? LONGEST.length : at
}
