import { existsSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Calls back whenever entries of a folder come or go, from when there is such a folder (inotify on Linux: costs
 * nothing while nothing happens). While it is missing, the nearest folder above it is watched instead.
 * @returns stops watching
 */
export function watchFolder(path: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined;
  let stopped = false;

  function begin(): void {
    watcher?.close();
    if (stopped) return;
    let target = path;
    while (!existsSync(target) && dirname(target) !== target) target = dirname(target);
    watcher = watch(target, { persistent: true }, () => {
      // The folder may have come, or gone and come back as another one.
      if (target !== path || !existsSync(path)) begin();
      changed();
    });
    watcher.on('error', begin);
  }

  try {
    begin();
  } catch (cause) {
    // Watches are limited (fs.inotify.max_user_watches); without one a look on request still finds everything.
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
  }
  return () => {
    stopped = true;
    watcher?.close();
  };
}
