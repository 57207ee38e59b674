/** The channel of how a cluster's KMS plugins stand. Reads only; a path for etcd is one that a person chose in main's dialog. */
import { z } from 'zod';
import { etcdPlaceSchema, resourceNameSchema } from '../workflows/kms-ports.ts';

const text = z.string();
const count = z.number().int().nonnegative();

const serverSchema = z.strictObject({
  name: text,
  address: text,
  reached: z.boolean(),
  healthy: z.boolean(),
  problem: text,
  keyIdHash: text,
  /** Unix seconds by the API server's clock; 0 for never. */
  toldAt: z.number(),
  wroteUnder: text,
  wroteAt: z.number(),
});
const keySchema = z.strictObject({
  keyIdHash: text,
  keyId: text,
  servers: count,
  objects: count.nullable(),
  fate: z.enum(['current', 'in-use', 'stored', 'may-go', 'unknown']),
});

export const kmsChannels = {
  /** Asks each API server which key its plugins told it; with etcd, counts what lies under which key. */
  'kms.status': {
    request: z.strictObject({
      contextId: z.string().min(1).max(80),
      /** '': nothing is counted. */
      etcd: z.union([z.literal(''), etcdPlaceSchema]),
      /** Counted beside what the API servers say that is encrypted. */
      resources: z.array(resourceNameSchema).max(500),
    }),
    reply: z.strictObject({
      plugins: z.array(
        z.strictObject({
          provider: text,
          servers: z.array(serverSchema),
          converged: z.enum(['yes', 'no', 'unknown']),
          keys: z.array(keySchema),
        }),
      ),
      complete: z.boolean(),
      counted: z.array(text),
      notCounted: z.array(text),
    }),
  },
} as const;
