import { z } from 'zod';

export const vaultTrustSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('system') }),
  z.strictObject({ kind: z.literal('ca-file'), path: z.string().min(1).max(4096) }),
  z.strictObject({ kind: z.literal('pinned'), sha256: z.string().regex(/^[0-9a-f]{64}$/u) }),
]);

/** How one node of a Vault is reached. */
export const vaultConnectionSchema = z.strictObject({
  address: z.url({ protocol: /^https?$/u }).max(2048),
  trust: vaultTrustSchema,
});
