/**
 * Builds and runs the image and the compose file. Not part of `npm test`, because it needs root and takes minutes.
 */
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
    // The first run builds stand-ins for the base images.
    hookTimeout: 900_000,
    expect: { poll: { timeout: 60_000, interval: 250 } },
  },
})
