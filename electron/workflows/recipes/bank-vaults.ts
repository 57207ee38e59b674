import { z } from 'zod';
import {
  absolutePathSchema,
  dnsLabelSchema,
  imageSchema,
  isSoftHsmModule,
  namespaceSchema,
  objectNameSchema,
  pinSecretSchema,
  quantitySchema,
  rule,
  tokenLabelSchema,
} from './fields.ts';

/** The Vault custom resource of bank-vaults' operator, with an HSM (FORMATS 1.8; bank-vaults, "HSM Support"). */
export const bankVaultsInputSchema = z
  .strictObject({
    recipe: z.literal('bank-vaults'),
    /** The operator puts numbers and suffixes behind it for Pods, whose names are label values. */
    name: dnsLabelSchema.max(40, { message: 'Use at most 40 characters: the operator adds suffixes.' }),
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
    pinSecret: pinSecretSchema,
    /** On the device (mode hsm), or as ciphertext in a Secret (mode hsm-k8s). SoftHSM keeps no values: session objects. */
    shares: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('device') }),
      z.strictObject({
        kind: z.literal('secret'),
        namespace: z.union([z.literal(''), namespaceSchema]),
        name: z.union([z.literal(''), objectNameSchema]),
      }),
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
  })
  .superRefine(
    rule((input, complain) => {
      const { device, shares, options } = input;
      const softHsm = device.kind === 'softhsm' || (device.kind === 'other' && isSoftHsmModule(device.modulePath));
      if (softHsm && shares.kind === 'device') {
        complain(
          ['shares', 'kind'],
          'Keep the shares in a Secret: on SoftHSM, bank-vaults writes them as session objects, which are gone when its process ends.',
        );
      }
      if (shares.kind === 'secret' && (shares.namespace === '') !== (shares.name === '')) {
        complain(
          ['shares', shares.name === '' ? 'name' : 'namespace'],
          'Set both namespace and name: with one of them alone bank-vaults keeps the shares on the device.',
        );
      } else if (shares.kind === 'secret' && shares.name === '') {
        complain(['shares', 'name'], 'Name the Secret and its namespace, or keep the shares on the device.');
      }
      if (options.secretThreshold > options.secretShares) {
        complain(
          ['options', 'secretThreshold'],
          `Ask for at most as many shares as there are: ${options.secretShares}.`,
        );
      } else if (options.secretShares > 1 && options.secretThreshold < 2) {
        complain(['options', 'secretThreshold'], 'Vault asks for at least 2 where there are several shares.');
      }
      if (input.storage.kind === 'file' && input.size > 1) {
        complain(['size'], 'One Vault only: file storage cannot be shared. Choose raft for several.');
      }
      if (shares.kind === 'secret' && shares.name === input.pinSecret.name && shares.namespace === input.namespace) {
        complain(['pinSecret', 'name'], 'Keep the PIN and the shares in two Secrets: together they are everything.');
      }
    }),
  );

export type BankVaultsInput = z.infer<typeof bankVaultsInputSchema>;
