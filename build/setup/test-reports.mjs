/** Counts from the runners' own reports. A skipped test counts as failed: it showed nothing. */
import { existsSync, readFileSync } from 'node:fs';

function readJson(path) {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** A runner that ended badly without naming a failed test (a file that does not load, say) is one failure. */
function withExitCode(counts, exitCode) {
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

export function countVitest(reportPath, exitCode) {
  const report = readJson(reportPath);
  if (report === undefined) return { passed: 0, failed: 1 };
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  // A file that failed to load holds no test at all.
  const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = report.numFailedTests + skipped + unloaded.length;
  return withExitCode({ passed: report.numPassedTests, failed }, exitCode);
}

export function countPlaywright(reportPath, exitCode) {
  const report = readJson(reportPath);
  if (report === undefined) return { passed: 0, failed: 1 };
  const { expected, unexpected, flaky, skipped } = report.stats;
  return withExitCode({ passed: expected, failed: unexpected + flaky + skipped + report.errors.length }, exitCode);
}
