/** Searches what a process has in memory, on its command line and in its environment. Linux, same user. */
import { open, readFile, readdir } from 'node:fs/promises';

const chunkBytes = 4 * 1024 * 1024;

/** Ids of a process and all its descendants. */
export async function processTree(root: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/u.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    // Fields after the name in brackets, which may hold anything: state, then the parent's id.
    const parent =
      / \S (\d+) /u.exec(stat.slice(stat.lastIndexOf(')') + 1))?.[1] ??
      / \S+ (\d+)/u.exec(stat.slice(stat.lastIndexOf(')') + 1))?.[1];
    if (parent !== undefined) parents.set(Number(entry), Number(parent));
  }
  const tree = [root];
  for (const id of tree) for (const [child, parent] of parents) if (parent === id) tree.push(child);
  return tree;
}

/**
 * A marker as it may lie in memory: UTF-8 (or Latin-1) and UTF-16LE, as V8 and Blink keep strings; hex also
 * as the bytes that it says and as their base64, in which Vault gives shares too.
 */
export function formsOf(marker: string): readonly Buffer[] {
  const texts = [marker];
  const bytes: Buffer[] = [];
  if (/^(?:[0-9a-f]{2})+$/u.test(marker)) {
    const raw = Buffer.from(marker, 'hex');
    bytes.push(raw);
    texts.push(marker.toUpperCase(), raw.toString('base64'));
  }
  return [...bytes, ...texts.flatMap((text) => [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')])];
}

export interface MemorySearch {
  /** How often each marker was found, in the order given. */
  readonly counts: readonly number[];
  readonly bytesRead: number;
}

/**
 * @param markers each as text, whose forms are found here, or as the forms that are searched
 * @throws where the process's memory may not be read: a test that cannot look proves nothing
 */
export async function searchMemory(
  processId: number,
  markers: readonly (string | readonly Buffer[])[],
): Promise<MemorySearch> {
  const maps = await readFile(`/proc/${String(processId)}/maps`, 'utf8');
  const memory = await open(`/proc/${String(processId)}/mem`, 'r');
  const forms = markers.map((marker) => (typeof marker === 'string' ? formsOf(marker) : marker));
  const overlap = Math.max(...forms.flat().map((form) => form.length));
  const counts = markers.map(() => 0);
  let bytesRead = 0;
  try {
    for (const line of maps.split('\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/u.exec(line);
      if (range === null) continue;
      const end = Number.parseInt(range[2] ?? '0', 16);
      for (let position = Number.parseInt(range[1] ?? '0', 16); position < end; position += chunkBytes - overlap) {
        const buffer = Buffer.alloc(Math.min(chunkBytes, end - position));
        // Pages that were never touched or belong to a device cannot be read and hold nothing.
        const read = await memory.read(buffer, 0, buffer.length, position).catch(() => ({ bytesRead: 0 }));
        bytesRead += read.bytesRead;
        for (const [index, markerForms] of forms.entries())
          for (const form of markerForms) if (buffer.includes(form)) counts[index] = (counts[index] ?? 0) + 1;
        if (read.bytesRead === 0) break;
      }
    }
  } finally {
    await memory.close();
  }
  return { counts, bytesRead };
}
