import { defineConfig } from 'vitest/config';

const seconds = 1000;

/** Unit and contract tests are quick and run side by side; integration tests own real tokens and servers. */
export default defineConfig({
  test: {
    // An empty room is a mistake while `npm test` counts on it, not a pass.
    passWithNoTests: false,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/unit/**/*.test.tsx'],
          testTimeout: 20 * seconds,
        },
      },
      {
        extends: true,
        test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 30 * seconds },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          pool: 'forks',
          // One file at a time: each starts a Vault of its own, and timing on two cores must stay honest.
          fileParallelism: false,
          testTimeout: 180 * seconds,
          hookTimeout: 600 * seconds,
          teardownTimeout: 30 * seconds,
        },
      },
    ],
  },
});
