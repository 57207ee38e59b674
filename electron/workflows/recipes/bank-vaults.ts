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

/** The Vault custom resource of bank-vaults' operator, with an HSM (FORMATS 1.8; bank-vaults, "HSM Support"). */
export const bankVaultsInputSchema = z.strictObject({
  recipe: z.literal('bank-vaults'),
  name: objectNameSchema,
  namespace: namespaceSchema,
  size: z.number().int().min(1).max(11),
  vaultImage: imageSchema,
  bankVaultsImage: imageSchema,
  serviceAccount: objectNameSchema,
  device: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('softhsm'), tokenLabel: tokenLabelSchema }),
    /** OpenSC; the daemon runs as a privileged sidecar. By slot, since labels gain a suffix before OpenSC 0.26. */
    z.strictObject({
      kind: z.literal('nitrokey'),
      slotId: z.number().int().min(0).max(255),
      daemonRequests: z.strictObject({ cpu: quantitySchema, memory: quantitySchema }),
      daemonLimits: z.strictObject({ cpu: quantitySchema, memory: quantitySchema }),
    }),
    /** AWS CloudHSM and others: the module is in an image of one's own. */
    z.strictObject({
      kind: z.literal('other'),
      modulePath: absolutePathSchema,
      selectBy: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('label'), tokenLabel: tokenLabelSchema }),
        z.strictObject({ kind: z.literal('slot'), slotId: z.number().int().min(0).max(4_294_967_295) }),
      ]),
    }),
  ]),
  keyLabel: tokenLabelSchema,
  pinSecret: z.strictObject({ name: objectNameSchema, key: dataKeySchema, make: z.boolean() }),
  /** On the device (mode hsm), or as ciphertext in a Secret (mode hsm-k8s). SoftHSM keeps no values: session objects. */
  shares: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('device') }),
    z.strictObject({ kind: z.literal('secret'), namespace: namespaceSchema, name: objectNameSchema }),
  ]),
  options: z.strictObject({
    preFlightChecks: z.boolean(),
    storeRootToken: z.boolean(),
    secretShares: z.number().int().min(1).max(255),
    secretThreshold: z.number().int().min(1).max(255),
  }),
  storage: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('raft'), size: quantitySchema }),
    z.strictObject({ kind: z.literal('file'), size: quantitySchema }),
  ]),
});

export type BankVaultsInput = z.infer<typeof bankVaultsInputSchema>;
