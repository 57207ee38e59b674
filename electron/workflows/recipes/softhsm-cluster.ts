import { z } from 'zod';
import {
  absolutePathSchema,
  dataKeySchema,
  imageSchema,
  namespaceSchema,
  objectNameSchema,
  quantitySchema,
  tokenLabelSchema,
} from './fields.ts';

/** SoftHSM on every node, for tests (seeds: "SoftHSM Integration with Vault"). */
export const softHsmClusterInputSchema = z.strictObject({
  recipe: z.literal('softhsm-cluster'),
  name: objectNameSchema,
  namespace: namespaceSchema,
  createNamespace: z.boolean(),
  image: imageSchema,
  tokenLabel: tokenLabelSchema,
  keyLabel: tokenLabelSchema,
  /** PIN and SO-PIN, from one Secret. */
  pinSecret: z.strictObject({
    name: objectNameSchema,
    pinKey: dataKeySchema,
    soPinKey: dataKeySchema,
    make: z.boolean(),
  }),
  storage: z.strictObject({
    size: quantitySchema,
    hostPath: absolutePathSchema,
    storageClass: z.union([z.literal(''), objectNameSchema]),
  }),
  /** Vault's own configuration beside softhsm2.conf in the ConfigMap: with a pkcs11 seal, or without. */
  vaultSeal: z.enum(['none', 'vault-enterprise', 'openbao']),
  /** uid and gid that Vault runs as, so that both reach the token. */
  runAs: z.number().int().min(1).max(65_535),
  monitoring: z.boolean(),
});

export type SoftHsmClusterInput = z.infer<typeof softHsmClusterInputSchema>;
