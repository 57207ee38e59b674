/** What is read of etcd, whichever way leads there: its JSON answers to a range request. Nothing is ever written. */
import { z } from 'zod';
import type { ClusterFailureCode, Result } from '../../electron/workflows/failures.ts';

const rangeReplySchema = z.object({
  kvs: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
  more: z.boolean().default(false),
});

export interface EtcdRange {
  readonly entries: readonly { readonly key: string; readonly value: Buffer }[];
  readonly more: boolean;
}

export interface EtcdReader {
  /** For a person: its address, or the Pod. */
  readonly place: string;
  /**
   * Keys below `prefix` that come after the key `after` ('' for all), with their values, at most `limit`. Cluster_UnexpectedReply where they are too
   * much for one answer: ask for fewer.
   */
  range(after: string, prefix: string, limit: number): Promise<Result<EtcdRange, ClusterFailureCode>>;
  /** undefined where there is no such key. */
  find(key: string): Promise<Result<Buffer | undefined, ClusterFailureCode>>;
  close(): void;
}

/** The first key that does not begin with the prefix (etcd's range_end). Prefixes here end in a slash. */
export function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}

/** The JSON of etcd's gateway and of `etcdctl --write-out=json`, both with keys and values in base64; undefined for anything else. */
export function readRange(text: Buffer): EtcdRange | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text.toString('utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
  const parsed = rangeReplySchema.safeParse(json);
  if (!parsed.success) return undefined;
  const entries = parsed.data.kvs.map(({ key, value }) => ({
    key: Buffer.from(key, 'base64').toString('utf8'),
    value: Buffer.from(value, 'base64'),
  }));
  return { entries, more: parsed.data.more };
}
