import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where journals, settings, escrow and outbox are kept, by the XDG Base Directory Specification 0.8 (a
 * relative path in XDG_DATA_HOME is invalid and ignored).
 */
export function defaultDataDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  const base = environment['XDG_DATA_HOME'];
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.local', 'share'), 'key-custodian');
}
