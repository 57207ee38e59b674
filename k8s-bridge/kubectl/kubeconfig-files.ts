/** Reads kubeconfigs and what they point at from disk. Kept in memory as long as the files stay as they are. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { mergeKubeconfigs, parseKubeconfig, type Kubeconfig, type ParsedKubeconfig } from './kubeconfig.ts';

/** A kubeconfig of a thousand clusters has 10 MB; a certificate or token some kilobytes. */
const largestKubeconfig = 16 * 1024 * 1024;
const largestProgram = 1024 * 1024 * 1024;

const readProblems: Readonly<Record<string, string>> = {
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  EISDIR: 'it is a folder',
  ELOOP: 'its links go in a circle',
  ENOTDIR: 'its folder is a file',
};

/** Files keep their reading until one of these changes. */
interface Identity {
  readonly key: string;
  readonly size: number;
  readonly isFile: boolean;
}

type Whole = { readonly bytes: Buffer } | { readonly problem: string };

export interface LoadedKubeconfig {
  readonly merged: Kubeconfig;
  /** In words, for each file that is there and cannot be used: kubectl then uses none of them. */
  readonly problems: readonly string[];
}

export interface KubeconfigFiles {
  /** Files that are not there are passed over, as kubectl does. */
  load(paths: readonly string[]): Promise<LoadedKubeconfig>;
  /** SHA-256, hex; '' where there is no such file or it cannot be read. */
  hash(path: string): Promise<string>;
  /** Whole content of a small file such as a certificate authority; undefined where it cannot be read. */
  read(path: string): Promise<Buffer | undefined>;
}

function codeOf(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  throw cause;
}

async function identify(path: string): Promise<Identity | { readonly code: string }> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, isFile } = await stat(path, { bigint: true }).then((stats) => ({
      dev: stats.dev,
      ino: stats.ino,
      size: stats.size,
      mtimeNs: stats.mtimeNs,
      ctimeNs: stats.ctimeNs,
      isFile: stats.isFile(),
    }));
    return { key: [dev, ino, size, mtimeNs, ctimeNs].join(' '), size: Number(size), isFile };
  } catch (cause) {
    return { code: codeOf(cause) };
  }
}

export function createKubeconfigFiles(): KubeconfigFiles {
  const parsed = new Map<string, { readonly key: string; readonly value: ParsedKubeconfig }>();
  const hashes = new Map<string, { readonly key: string; readonly value: string }>();

  async function readWhole(path: string, limit: number): Promise<Whole> {
    const identity = await identify(path);
    if ('code' in identity) return { problem: readProblems[identity.code] ?? 'it cannot be read' };
    if (!identity.isFile) return { problem: 'it is no ordinary file' };
    if (identity.size > limit) return { problem: 'it is far too large' };
    try {
      const file = await open(path, 'r');
      try {
        const content = Buffer.alloc(identity.size);
        let length = 0;
        while (length < content.length) {
          const { bytesRead } = await file.read(content, length, content.length - length, length);
          if (bytesRead === 0) break;
          length += bytesRead;
        }
        return { bytes: content.subarray(0, length) };
      } finally {
        await file.close();
      }
    } catch (cause) {
      return { problem: readProblems[codeOf(cause)] ?? 'it cannot be read' };
    }
  }

  async function parse(path: string): Promise<ParsedKubeconfig | undefined> {
    const identity = await identify(path);
    if ('code' in identity && identity.code === 'ENOENT') return undefined;
    const key = 'code' in identity ? '' : identity.key;
    const known = parsed.get(path);
    if (known !== undefined && key !== '' && known.key === key) return known.value;
    const content = await readWhole(path, largestKubeconfig);
    if ('problem' in content) return { ok: false, problem: `${sentence(content.problem)}.` };
    const value = parseKubeconfig(path, content.bytes.toString('utf8'));
    content.bytes.fill(0);
    if (key !== '') parsed.set(path, { key, value });
    return value;
  }

  return {
    async load(paths) {
      const read = await Promise.all(paths.map(async (path) => ({ path, value: await parse(path) })));
      return {
        merged: mergeKubeconfigs(read.flatMap(({ value }) => (value?.ok === true ? [value.file] : []))),
        problems: read.flatMap(({ path, value }) =>
          value === undefined || value.ok ? [] : [`The kubeconfig ${path} cannot be used. ${value.problem}`],
        ),
      };
    },
    async hash(path) {
      const identity = await identify(path);
      if ('code' in identity || !identity.isFile || identity.size > largestProgram) return '';
      const known = hashes.get(path);
      if (known?.key === identity.key) return known.value;
      const hash = createHash('sha256');
      try {
        await pipeline(createReadStream(path), hash);
      } catch (cause) {
        codeOf(cause);
        return '';
      }
      const value = hash.digest('hex');
      hashes.set(path, { key: identity.key, value });
      return value;
    },
    async read(path) {
      const content = await readWhole(path, largestKubeconfig);
      return 'problem' in content ? undefined : content.bytes;
    },
  };
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
