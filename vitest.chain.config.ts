/**
 * The whole chain with a real Prometheus. Not part of `npm test`, because it takes minutes and must not share the
 * machine.
 */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'chain',
    include: ['test/chain/**/*.test.ts'],
    reporters: report === undefined ? ['verbose'] : ['verbose', ['json', { outputFile: report }]],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
