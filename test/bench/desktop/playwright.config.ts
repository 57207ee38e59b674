import { join } from 'node:path';
import { defineConfig } from '@playwright/test';

/** The measurements on the packaged app; `test/bench/desktop.ts` runs them and reads their figures. */
export default defineConfig({
  testDir: import.meta.dirname,
  testMatch: '**/*.measure.ts',
  outputDir: join(process.env['KEY_CUSTODIAN_TEST_OUT'] ?? join(import.meta.dirname, '..', '..', 'out'), 'playwright'),
  workers: 1,
  retries: 0,
  timeout: 5 * 60_000,
  reporter: [['line']],
});
