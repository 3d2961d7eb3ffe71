import { describe, expect, test } from 'vitest'
import type { TopicOutcome } from '../../../src/adapters/kafka/admin/topics.ts'
import { reportOf, type Report } from '../../../src/cli/topics-command.ts'

function report(requested: number, ...outcomes: TopicOutcome[]): Report {
  return reportOf({ outcomes, requested, input: 'in', retry: ['in.retry.10s'] })
}

const exists = (topic: string, partitions: number): TopicOutcome => ({ kind: 'exists', topic, partitions })

describe('the report of "topics create"', () => {
  test('has one line per topic and no warning if the partition count is the requested one', () => {
    expect(report(8, { kind: 'created', topic: 'in', partitions: 8 }, exists('out', 8))).toEqual({
      lines: ['created  in  8 partitions', 'exists   out  8 partitions'],
      warnings: [],
      error: null,
    })
    expect(report(1, exists('in', 1)).lines).toEqual(['exists   in  1 partition'])
  })

  test('names topics with fewer partitions than requested and says how to add partitions', () => {
    const { lines, warnings, error } = report(
      12,
      exists('in', 8),
      exists('in.retry.10s', 8),
      exists('out', 8),
    )
    expect(lines).toEqual([
      'exists   in  8 partitions, not the requested 12',
      'exists   in.retry.10s  8 partitions',
      'exists   out  8 partitions, not the requested 12',
    ])
    expect(warnings).toEqual([
      expect.stringMatching(
        /^The number of partitions differs from the requested 12: in \(8\), out \(8\)\. Existing topics were not changed\. To add/,
      ),
    ])
    expect(error).toBeNull()
  })

  test('says that Kafka cannot remove partitions if fewer were requested', () => {
    expect(report(4, exists('in', 8)).warnings).toEqual([
      'The number of partitions differs from the requested 4: in (8). Existing topics were not changed. Kafka cannot remove partitions.',
    ])
  })

  test('is an error if a retry topic has more partitions than the input topic', () => {
    expect(report(4, exists('in', 4), exists('in.retry.10s', 6)).error).toBe(
      'Retry topics have more partitions than the input topic in, which has 4: in.retry.10s. Add partitions to the input topic until the numbers are equal.',
    )
  })
})
