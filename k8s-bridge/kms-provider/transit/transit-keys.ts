/** The versions of the Transit key, and the key ids that follow from them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TransitConfiguration } from '../configuration.ts';

/** Types whose ciphertexts are bound to additional data (HashiCorp, “Transit secrets engine”: AEAD). */
const aeadTypes: ReadonlySet<string> = new Set([
  'aes128-gcm96',
  'aes256-gcm96',
  'chacha20-poly1305',
  'xchacha20-poly1305',
]);

const keySchema = z.object({
  data: z.object({
    type: z.string(),
    latest_version: z.int().min(1),
    /** Creation of each version that may still decrypt, Unix time. */
    keys: z.record(z.string().regex(/^\d+$/u), z.number()),
  }),
});

export interface TransitKeys {
  readonly latest: number;
  readonly currentKeyId: string;
  readonly versions: ReadonlyMap<string, number>;
}

/**
 * @param serverId cluster_id, which stays with a Vault's storage wherever it runs
 * @returns why not, where the key is not fit for this
 */
export function readTransitKeys(
  body: unknown,
  configuration: TransitConfiguration,
  serverId: string,
): TransitKeys | { readonly problem: string } {
  const read = keySchema.safeParse(body);
  if (!read.success) return { problem: 'Vault described the key in an unknown form.' };
  const { type, latest_version: latest, keys } = read.data.data;
  if (!aeadTypes.has(type)) return { problem: `The Transit key is of type ${type}. Make one of aes256-gcm96.` };
  const { namespace, mount, key } = configuration;
  const nameOf = (version: number, created: number): string => {
    const parts = [serverId, namespace, mount, key, String(version), String(created)];
    const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    return `kc1-transit-v${version}-${digest.slice(0, 32)}`;
  };
  const versions = new Map(
    Object.entries(keys).map(([version, created]) => [nameOf(Number(version), created), Number(version)]),
  );
  const current = [...versions].find(([, version]) => version === latest);
  if (current === undefined) return { problem: 'The newest version of the Transit key may not decrypt.' };
  return { latest, currentKeyId: current[0], versions };
}
