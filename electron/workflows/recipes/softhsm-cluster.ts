import { z } from 'zod';
import {
  absolutePathSchema,
  dataKeySchema,
  dnsLabelSchema,
  imageSchema,
  isSoftHsmModule,
  namespaceSchema,
  objectNameSchema,
  quantitySchema,
  rule,
  tokenLabelSchema,
} from './fields.ts';

/** SoftHSM on every node, for tests (seeds: "SoftHSM Integration with Vault"). */
export const softHsmClusterInputSchema = z
  .strictObject({
    recipe: z.literal('softhsm-cluster'),
    name: dnsLabelSchema.max(50),
    namespace: namespaceSchema,
    createNamespace: z.boolean(),
    /** Holds SoftHSM, OpenSC's pkcs11-tool and a shell. */
    image: imageSchema,
    /** SoftHSM's library, in that image and in Vault's. */
    modulePath: absolutePathSchema,
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
      /** On each node, where there is no storage class: every node then has a token of its own. */
      hostPath: absolutePathSchema,
      /** A class that several nodes can write to: one token for all. '' for hostPath. */
      storageClass: z.union([z.literal(''), objectNameSchema]),
    }),
    /** Vault's own configuration beside softhsm2.conf in the ConfigMap: with a pkcs11 seal, or without. */
    vaultSeal: z.enum(['none', 'vault-enterprise', 'openbao']),
    /** uid that Vault runs as, so that both reach the token. 100 in Vault's and OpenBao's images. */
    runAs: z.number().int().min(1).max(65_535),
    /** gid, of the Pod and of its files. 1000 in Vault's and OpenBao's images. */
    runAsGroup: z.number().int().min(1).max(65_535),
    monitoring: z.boolean(),
  })
  .superRefine(
    rule((input, complain) => {
      if (!isSoftHsmModule(input.modulePath)) {
        complain(['modulePath'], 'This recipe is for SoftHSM: write the path of libsofthsm2.so.');
      }
      if (input.pinSecret.pinKey === input.pinSecret.soPinKey) {
        complain(['pinSecret', 'soPinKey'], 'PIN and SO-PIN are two values: give them two keys.');
      }
    }),
  );

export type SoftHsmClusterInput = z.infer<typeof softHsmClusterInputSchema>;
