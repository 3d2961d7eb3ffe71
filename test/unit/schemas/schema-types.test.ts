import { describe, expect, test } from 'vitest'
import { committed, generate, typesOf } from '../../../dev/generate-schema-types.ts'

test('the committed types match the schemas (if this fails, run `node dev/generate-schema-types.ts`)', async () => {
  expect(committed()).toBe(await generate())
})

describe('generated schema types', () => {
  const record = {
    type: 'record' as const,
    name: 'Sample',
    doc: 'A sample.',
    fields: [
      { name: 'id', type: 'string', doc: 'Its id.' },
      { name: 'at', type: { type: 'long' as const, logicalType: 'timestamp-millis' }, doc: 'When.' },
      { name: 'on', type: ['null', { type: 'int' as const, logicalType: 'date' }] },
      { name: 'texts', type: { type: 'map' as const, values: 'string' } },
      {
        name: 'kinds',
        type: {
          type: 'array' as const,
          items: { type: 'enum' as const, name: 'SampleKind', symbols: ['OTHER', 'ONE'] },
        },
      },
    ],
  }

  test('records become interfaces, enums become unions of their symbols, and dates become numbers with a unit in the name', () => {
    expect(typesOf([record])).toBe(
      [
        "export const SAMPLE_KIND_SYMBOLS = ['OTHER', 'ONE'] as const",
        'export type SampleKind = (typeof SAMPLE_KIND_SYMBOLS)[number]',
        '',
        '/** A sample. */',
        'export interface Sample {',
        '/** Its id. */',
        'readonly id: string',
        '/** When. Milliseconds since the epoch. */',
        'readonly at: number',
        '/** Days since 1970-01-01. */',
        'readonly on: number | null',
        'readonly texts: Readonly<Record<string, string>>',
        'readonly kinds: readonly (SampleKind)[]',
        '}',
      ].join('\n'),
    )
  })
})
