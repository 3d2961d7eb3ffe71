/**
 * Tests of the chart, the image and the rules with external tools (`dev/tools`). Not part of `npm test`, because the
 * first run installs the tools.
 */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'deploy',
    include: ['test/deploy/**/*.test.ts'],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    maxWorkers: 2,
    testTimeout: 60_000,
    // The first run builds tools from source.
    hookTimeout: 1_800_000,
  },
})
