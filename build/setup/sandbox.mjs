/** Makes sure that Electron's sandbox can start on this machine. It is never switched off instead. */
import { chmod, chown, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ask, isRoot, run, SetupError } from './commands.mjs';

/**
 * The sandbox stands on user namespaces where ordinary users may make them, else on the set-uid helper.
 * @param directory an unpacked application or Electron distribution
 */
export async function ensureSandbox(directory) {
  const helper = join(directory, 'chrome-sandbox');
  const { uid, mode } = await stat(helper);
  if (uid === 0 && (mode & 0o7777) === 0o4755) return;
  if (isRoot) {
    await chown(helper, 0, 0);
    await chmod(helper, 0o4755);
    return;
  }
  if (ask('unshare', ['--user', '--map-root-user', 'true']) !== undefined) return;
  if (ask('sudo', ['-n', 'true']) !== undefined) {
    if (run('sudo', ['-n', 'chown', '0:0', helper]) && run('sudo', ['-n', 'chmod', '4755', helper])) return;
  }
  throw new SetupError(
    `Electron's sandbox can't start here: this system lets no ordinary user make namespaces.\n` +
      `Run this once, then start again:\n\n  sudo chown 0:0 '${helper}' && sudo chmod 4755 '${helper}'\n`,
  );
}
