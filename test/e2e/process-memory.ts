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

const pageBytes = 4096;
const emptyPage = Buffer.alloc(pageBytes);

/**
 * Finds many forms in one pass, where a pass for each would take minutes over a gigabyte.
 * @param forms of each marker, of two bytes and more
 * @returns a function that counts up, in the order of the markers, what a content holds
 */
function createFinder(forms: readonly (readonly Buffer[])[]): (content: Buffer, counts: number[]) => void {
  /** By the first two bytes. */
  const isCandidate = new Uint8Array(65_536);
  const candidates = new Map<number, { readonly marker: number; readonly form: Buffer }[]>();
  for (const [marker, each] of forms.entries()) {
    for (const form of each) {
      const start = form.readUInt16BE(0);
      isCandidate[start] = 1;
      candidates.set(start, [...(candidates.get(start) ?? []), { marker, form }]);
    }
  }
  const findFrom = (content: Buffer, begin: number, end: number, counts: number[]): void => {
    let start = content[begin] ?? 0;
    for (let index = begin + 1; index <= end && index < content.length; index += 1) {
      start = ((start & 0xff) << 8) | (content[index] ?? 0);
      if (isCandidate[start] === 0) continue;
      for (const { marker, form } of candidates.get(start) ?? []) {
        // Most go no further than the third byte.
        if (form.length > 2 && form[2] !== content[index + 1]) continue;
        const at = index - 1;
        if (content.subarray(at, at + form.length).equals(form)) counts[marker] = (counts[marker] ?? 0) + 1;
      }
    }
  };
  return (content, counts) => {
    const isEmpty = (at: number): boolean => content.subarray(at, at + pageBytes).equals(emptyPage);
    // Much of what is mapped was never written to. A form that begins with zeroes may begin in an empty page.
    for (let at = 0; at < content.length; at += pageBytes)
      if (!isEmpty(at) || !isEmpty(at + pageBytes)) findFrom(content, at, at + pageBytes, counts);
  };
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
  const find = createFinder(forms);
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
        if (read.bytesRead === 0) break;
        find(buffer.subarray(0, read.bytesRead), counts);
      }
    }
  } finally {
    await memory.close();
  }
  return { counts, bytesRead };
}
