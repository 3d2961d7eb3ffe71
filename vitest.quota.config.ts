/** The quota rig. Not part of `npm test`, because it takes long and must not share the machine. */
import { defineConfig } from 'vitest/config'

const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    name: 'quota',
    include: ['test/quota/**/*.test.ts'],
    reporters: report === undefined ? ['verbose'] : ['verbose', ['json', { outputFile: report }]],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
