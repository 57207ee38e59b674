import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface Directories {
  /** Journals, settings, escrow, outbox. */
  readonly data: string;
  /** What can be made again at any time: a built Vault. */
  readonly cache: string;
}

function baseDirectory(value: string | undefined, fallback: string): string {
  // XDG Base Directory Specification 0.8: a relative path is invalid and is ignored.
  return value !== undefined && isAbsolute(value) ? value : fallback;
}

/** Where this program keeps its files, by the XDG Base Directory Specification; the desktop app uses the same. */
export function defaultDirectories(environment: Readonly<Record<string, string | undefined>>): Directories {
  const home = homedir();
  return {
    data: join(baseDirectory(environment['XDG_DATA_HOME'], join(home, '.local', 'share')), 'key-custodian'),
    cache: join(baseDirectory(environment['XDG_CACHE_HOME'], join(home, '.cache')), 'key-custodian'),
  };
}
