import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const source = fileURLToPath(new URL('../../test/servers/no-delay.c', import.meta.url));

/**
 * Compiles what makes the virtual readers of a pcscd as quick as real ones, for LD_PRELOAD. The path is '' where there
 * is no compiler: then the cards are slower, and nothing else is different.
 * @returns {Promise<{ path: string, remove: () => Promise<void> }>} what is loaded needs its file no more
 */
export async function compileNoDelay() {
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-pcscd-'));
  const path = join(directory, 'no-delay.so');
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', path, source, '-ldl']);
    return { path, remove };
  } catch (error) {
    if (error.code === 'ENOENT') return { path: '', remove };
    await remove();
    throw error;
  }
}
