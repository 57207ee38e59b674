import { join } from 'node:path';

/** Where the built parts of the app lie. Packaged, `outDirectory` is inside the asar archive. */
export interface AppPaths {
  readonly pages: string;
  readonly mainPreload: string;
  readonly promptPreload: string;
  /** Hosts are started as processes: Electron reads them out of the archive. */
  readonly tokenHost: string;
  readonly shareHost: string;
  readonly presenceHost: string;
  readonly clusterHost: string;
  readonly icon: (name: string) => string;
}

/** @param mainDirectory the folder of the bundled main script, `out/main` */
export function createPaths(mainDirectory: string): AppPaths {
  const out = join(mainDirectory, '..');
  return {
    pages: join(out, 'renderer'),
    mainPreload: join(out, 'preload', 'preload.cjs'),
    promptPreload: join(out, 'preload', 'prompt-preload.cjs'),
    tokenHost: join(out, 'main', 'token-host.cjs'),
    shareHost: join(out, 'main', 'share-host.cjs'),
    presenceHost: join(out, 'main', 'presence-host.cjs'),
    clusterHost: join(out, 'main', 'cluster-host.cjs'),
    icon: (name) => join(out, 'icons', `${name}.png`),
  };
}
