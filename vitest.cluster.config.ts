/**
 * The chart on a real Kubernetes API server. The first run builds the server from source, which takes a quarter of an
 * hour.
 */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'cluster',
    include: ['test/cluster/**/*.test.ts'],
    reporters: report === undefined ? ['verbose'] : ['verbose', ['json', { outputFile: report }]],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 3_600_000,
  },
})
