import { expect, test } from 'vitest'
import { growthOf } from '../../chaos/samples.ts'

test('growth is measured from the second fifth of the samples to the last', () => {
  const samples = [900, 900, 100, 104, 500, 500, 0, 0, 110, 114].map((memoryMb, at) => ({
    memoryMb,
    descriptors: at,
  }))
  expect(growthOf(samples)).toEqual({ memoryMb: [102, 112], descriptors: [3, 9] })
})

test('too few samples give no growth', () => {
  expect(() => growthOf([{ memoryMb: 1, descriptors: 1 }])).toThrow('1 samples are too few')
})
