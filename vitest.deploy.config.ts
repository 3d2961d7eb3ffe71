/** Tests of what is deployed, with the outside tools they need (`dev/tools`): apart from `npm test`, as those take time to get. */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'deploy',
    include: ['test/deploy/**/*.test.ts'],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    maxWorkers: 2,
    testTimeout: 60_000,
    // Tools are built from source the first time.
    hookTimeout: 1_800_000,
  },
})
