/** The image and the compose file, built and run for real: apart from `npm test`, for they need root and take minutes. */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'image',
    include: ['test/image/**/*.test.ts'],
    reporters: report === undefined ? ['verbose'] : ['verbose', ['json', { outputFile: report }]],
    globalSetup: ['test/support/stack-setup.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    // Stand-ins for base images are made the first time.
    hookTimeout: 900_000,
    expect: { poll: { timeout: 60_000, interval: 250 } },
  },
})
