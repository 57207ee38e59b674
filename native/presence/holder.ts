/** Who else may hold a reader to itself: GnuPG's daemon for cards takes the USB device away from pcscd by default. */
import { readdir, readFile } from 'node:fs/promises';

const holders: ReadonlySet<string> = new Set(['scdaemon']);

/** The name of a running process that is known to hold readers, '' for none (Linux: proc(5), comm). */
export async function findHolder(): Promise<string> {
  let entries: string[];
  try {
    entries = await readdir('/proc');
  } catch {
    // No /proc on this system: nothing can be said.
    return '';
  }
  const names = await Promise.all(
    entries
      .filter((entry) => /^[0-9]+$/u.test(entry))
      // A process may end between the listing and the look.
      .map((entry) => readFile(`/proc/${entry}/comm`, 'utf8').catch(() => '')),
  );
  return names.map((name) => name.trim()).find((name) => holders.has(name)) ?? '';
}
