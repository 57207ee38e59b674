import { join } from 'node:path';
import { defineConfig } from '@playwright/test';

const outDirectory = process.env['KEY_CUSTODIAN_TEST_OUT'] ?? join(import.meta.dirname, 'test', 'out');
const jsonReport = process.env['KEY_CUSTODIAN_TEST_REPORT'];
const minute = 60_000;

/** The packaged app under Xvfb, one at a time: the tests share two cores, and the app is a single instance. */
export default defineConfig({
  testDir: 'test/e2e',
  testMatch: '**/*.spec.ts',
  outputDir: join(outDirectory, 'playwright'),
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 4 * minute,
  expect: { timeout: 15_000 },
  reporter: jsonReport === undefined ? [['list']] : [['list'], ['json', { outputFile: jsonReport }]],
});
