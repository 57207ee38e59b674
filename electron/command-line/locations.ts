import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { HostEntry } from '../hosts/host-process.ts';

/** Where the parts lie that the command line starts or reads. */
export interface Locations {
  readonly entryPath: (entry: HostEntry) => string;
  readonly serverSources: string;
  /** '0.0.0' where no package.json can be read. */
  readonly version: string;
}

function readVersion(path: string): string {
  try {
    return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).version;
  } catch (cause) {
    // A bundle that was copied out of its folder still works; it only cannot name its version.
    if (cause instanceof Error) return '0.0.0';
    throw cause;
  }
}

/**
 * As source (`electron/command-line/custodian.ts`, run by Node 24) the hosts are the sources beside it; as
 * bundle (`out/main/custodian.cjs`) they are the bundles in the same folder. Both lie two folders deep.
 * @param ownUrl `import.meta.url` of the calling file
 */
export function locate(ownUrl: string): Locations {
  const ownPath = fileURLToPath(ownUrl);
  const ownDirectory = dirname(ownPath);
  const root = join(ownDirectory, '..', '..');
  const sources: Readonly<Record<HostEntry, string>> = {
    'token-host': join(root, 'native', 'token-host.ts'),
    'share-host': join(root, 'electron', 'shares', 'share-host.ts'),
    'presence-host': join(root, 'native', 'presence', 'presence-host.ts'),
    'cluster-host': join(root, 'k8s-bridge', 'cluster-host.ts'),
  };
  return {
    entryPath: extname(ownPath) === '.ts' ? (entry) => sources[entry] : (entry) => join(ownDirectory, `${entry}.cjs`),
    serverSources: join(root, 'build', 'servers', 'vault'),
    version: readVersion(join(root, 'package.json')),
  };
}
