/** The fuzz suite. Not part of `npm test`, because a large run takes long and must not share the machine. */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'fuzz',
    include: ['test/fuzz/**/*.test.ts'],
    reporters: report === undefined ? ['verbose'] : ['verbose', ['json', { outputFile: report }]],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 180_000,
  },
})
