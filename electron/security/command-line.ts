/**
 * Switches that the app starts with. Anything else makes it refuse: a debugging port, a switched-off
 * sandbox or a loaded extension would open every window to whoever can start a program. Judged as an
 * allow-list, since Chromium has some two thousand switches.
 */

/** The app's own, and those that only concern how a window is drawn. */
const allowedSwitches: ReadonlySet<string> = new Set([
  'hidden',
  'user-data-dir',
  'lang',
  'class',
  'ozone-platform',
  'ozone-platform-hint',
  'gtk-version',
  'force-device-scale-factor',
  'force-renderer-accessibility',
  'disable-gpu',
  'disable-software-rasterizer',
  'disable-dev-shm-usage',
]);

/** What Playwright needs to drive the test package: the inspector of the main process and the windows' debugging port. */
const testSwitches: ReadonlySet<string> = new Set(['inspect', 'inspect-brk', 'remote-debugging-port']);

/**
 * @param argumentList process.argv without the program (and, unpackaged, without the app's path)
 * @returns the first switch that the app does not start with, without its value, or undefined
 */
export function findRefusedSwitch(
  argumentList: readonly string[],
  options: { readonly testPackage: boolean },
): string | undefined {
  for (const argument of argumentList) {
    if (argument === '--' || !argument.startsWith('-')) continue;
    const name = argument.replace(/^-+/u, '').split('=', 1)[0]?.toLowerCase() ?? '';
    if (allowedSwitches.has(name) || (options.testPackage && testSwitches.has(name))) continue;
    return `--${name.replaceAll(/[^a-z0-9-]/gu, '?').slice(0, 60)}`;
  }
  return undefined;
}

/** Node's and Electron's own variables that do the same as a refused switch. The fuses turn most of them off too. */
const refusedVariables = [
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'ELECTRON_RUN_AS_NODE',
  'ELECTRON_ENABLE_LOGGING',
  'ELECTRON_LOG_FILE',
  'SSLKEYLOGFILE',
] as const;

/** Takes them out of the environment, so that no helper process inherits them. */
export function dropRefusedVariables(environment: Record<string, string | undefined>): void {
  for (const name of refusedVariables) Reflect.deleteProperty(environment, name);
}
