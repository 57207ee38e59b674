/** Plans of what is set up inside a Vault. No secret is in them. */
import { z } from 'zod';
import { vaultConnectionSchema } from './vault-connection.ts';
import { wantedInVaultSchema } from './vault-setup-ports.ts';

/** Transit, a key, a policy and who may log in with it: what a KMS v2 plugin needs in Vault or OpenBao. */
export const transitSetUpPlanSchema = z.strictObject({
  workflow: z.literal('transit-setup'),
  rehearsal: z.boolean(),
  vaultId: z.string().min(1).max(80),
  vaultName: z.string().trim().min(1).max(80),
  connection: vaultConnectionSchema,
  /** Vault Enterprise's or OpenBao's; '' for none. */
  namespace: z.string().max(200),
  /** In the order in which they are made. A transit key and a policy are among them. */
  wanted: z.array(wantedInVaultSchema).min(1).max(20),
  tried: z.strictObject({ policy: z.string().max(200), mount: z.string().max(200), key: z.string().max(200) }),
  /** Policy, role and config are put right where they differ. A mount or key never is. */
  replaceDiffering: z.boolean(),
});

export const vaultSetUpPlanSchemas = [transitSetUpPlanSchema] as const;

export type TransitSetUpPlan = z.infer<typeof transitSetUpPlanSchema>;
