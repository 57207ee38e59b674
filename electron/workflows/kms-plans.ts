/** Plans about encryption at rest in a cluster. No secret is in them. */
import { z } from 'zod';
import { clusterPinSchema } from './cluster-ports.ts';
import { encryptedResourceSchema, etcdPlaceSchema, resourceNameSchema } from './kms-ports.ts';
import { dnsLabelSchema, namespaceSchema } from './recipes/fields.ts';

/** Verifies that new objects are encrypted by this plugin, then has the old ones written again until all are. */
export const kmsVerifyPlanSchema = z.strictObject({
  workflow: z.literal('kms-verify'),
  rehearsal: z.boolean(),
  cluster: clusterPinSchema,
  /** The plugin's name in EncryptionConfiguration. */
  provider: dnsLabelSchema,
  etcd: etcdPlaceSchema,
  /** Where the canary is written. */
  namespace: namespaceSchema,
  resources: z.array(encryptedResourceSchema).max(2),
  /** Whatever else is encrypted, in one step for all of them. */
  others: z.array(resourceNameSchema).max(500).exactOptional(),
  /** false: verify and count only. */
  reencrypt: z.boolean(),
});

export const kmsPlanSchemas = [kmsVerifyPlanSchema] as const;

export type KmsVerifyPlan = z.infer<typeof kmsVerifyPlanSchema>;
