import { z } from 'zod';
import {
  absolutePathSchema,
  dnsLabelSchema,
  imageSchema,
  namespaceSchema,
  objectNameSchema,
  rule,
  tokenLabelSchema,
  vaultAddressSchema,
  vaultPathSchema,
} from './fields.ts';

/** kleidi finds its key by this label and no other (FORMATS 2.1). */
export const kleidiKeyLabel = 'kleidi-kms-plugin';

/** A KMS v2 plugin beside kube-apiserver: this project's provider or kleidi (FORMATS 2; Kubernetes, "Using a KMS provider"). */
export const kmsPluginInputSchema = z
  .strictObject({
    recipe: z.literal('kms-plugin'),
    /** Name of the plugin: in EncryptionConfiguration, and in etcd's prefix. */
    name: dnsLabelSchema.max(50),
    namespace: namespaceSchema,
    /** Which program the image holds: their flags and files differ. */
    program: z.enum(['key-custodian', 'kleidi']),
    image: imageSchema,
    /** Makes token and key where they are missing: SoftHSM, OpenSC's pkcs11-tool and a shell. */
    initImage: imageSchema,
    deployment: z.enum(['static-pod', 'daemonset']),
    /** On each control-plane node: configuration, the file with the PIN, certificates. Only root reads it. */
    configDirectory: absolutePathSchema,
    /** On each control-plane node, and the same path for kube-apiserver. */
    socketDirectory: absolutePathSchema,
    resources: z
      .array(z.string().regex(/^[a-z]+(\.[a-z0-9.-]+)?$/u, { message: 'Write resources as in secrets or configmaps.' }))
      .min(1, { message: 'Name at least one resource, as in secrets.' })
      .max(20),
    backend: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('softhsm'),
        modulePath: absolutePathSchema,
        tokenLabel: tokenLabelSchema,
        keyLabel: tokenLabelSchema,
        /** On the node; in the container it is where SoftHSM's package looks: /var/lib/softhsm/tokens. */
        tokenDirectory: absolutePathSchema,
      }),
      z.strictObject({
        /** A Nitrokey HSM in each control-plane node, set up beforehand: OpenSC shows no AES on it, so a key pair. */
        kind: z.literal('smartcard-hsm'),
        /** In the image. */
        modulePath: absolutePathSchema,
        tokenLabel: tokenLabelSchema,
        keyLabel: tokenLabelSchema,
        /** On the node, with the socket of its card service (pcscd). */
        cardServiceDirectory: absolutePathSchema,
      }),
      z.strictObject({
        kind: z.literal('transit'),
        vaultAddress: vaultAddressSchema,
        /** '' for none. */
        vaultNamespace: z.union([z.literal(''), vaultPathSchema]),
        /** On the node; '' for the image's own authorities. */
        caFile: z.union([z.literal(''), absolutePathSchema]),
        mount: vaultPathSchema,
        key: vaultPathSchema,
        /**
         * By the Pod's own projected token, or by what lies in configDirectory on the node: a client certificate (tls.crt,
         * tls.key) or an AppRole's two ids (role-id, secret-id).
         */
        login: z.enum(['service-account', 'certificate', 'approle']),
        /** kubernetes, cert or approle, as mounted in Vault. */
        authMount: vaultPathSchema,
        role: vaultPathSchema,
        policy: vaultPathSchema,
        serviceAccount: objectNameSchema,
        audience: z
          .string()
          .min(1)
          .max(200)
          .regex(/^[A-Za-z0-9][A-Za-z0-9:/._-]*$/u, { message: 'Use letters, digits and : / . _ -.' }),
      }),
    ]),
    /** Which set-up the files are for. */
    platform: z.enum(['kubeadm', 'rke2', 'kind']),
    kind: z.strictObject({ clusterName: dnsLabelSchema, nodeImage: imageSchema }),
  })
  .superRefine(
    rule((input, complain) => {
      const { backend } = input;
      if (backend.kind === 'transit' && input.deployment === 'static-pod' && backend.login === 'service-account') {
        complain(
          ['deployment'],
          'A static Pod has no service account token. Choose a DaemonSet, or log in with a client certificate or an AppRole.',
        );
      }
      if (backend.kind === 'softhsm' && input.program === 'kleidi' && backend.keyLabel !== kleidiKeyLabel) {
        complain(['backend', 'keyLabel'], `kleidi looks for a key of the label ${kleidiKeyLabel} and no other.`);
      }
      if (backend.kind === 'transit' && input.program === 'kleidi' && backend.login === 'approle') {
        complain(['backend', 'login'], 'kleidi logs in by service account or certificate. Choose one of them.');
      }
      if (backend.kind === 'smartcard-hsm' && input.program === 'kleidi') {
        complain(
          ['program'],
          'kleidi needs an AES key, which a Nitrokey does not show. Choose this project’s provider.',
        );
      }
      if (input.configDirectory === input.socketDirectory) {
        complain(['socketDirectory'], 'Keep the socket and the configuration in two directories.');
      }
      input.resources.forEach((resource, index) => {
        if (input.resources.indexOf(resource) !== index) complain(['resources', index], `${resource} is named twice.`);
      });
    }),
  );

export type KmsPluginInput = z.infer<typeof kmsPluginInputSchema>;
