import { z } from 'zod';
import {
  absolutePathSchema,
  dnsLabelSchema,
  imageSchema,
  namespaceSchema,
  objectNameSchema,
  tokenLabelSchema,
} from './fields.ts';

const pathSegment = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/u, { message: 'Write a mount or key name: letters, digits, _ - and /.' });

/** A KMS v2 plugin beside kube-apiserver: this project's provider or kleidi (FORMATS 2; Kubernetes, "Using a KMS provider"). */
export const kmsPluginInputSchema = z.strictObject({
  recipe: z.literal('kms-plugin'),
  /** Name of the plugin: in EncryptionConfiguration, and in etcd's prefix. */
  name: dnsLabelSchema,
  namespace: namespaceSchema,
  /** Which program the image holds: their flags and files differ. */
  program: z.enum(['key-custodian', 'kleidi']),
  image: imageSchema,
  initImage: imageSchema,
  deployment: z.enum(['static-pod', 'daemonset']),
  socketDirectory: absolutePathSchema,
  resources: z
    .array(z.string().regex(/^[a-z]+(\.[a-z0-9.-]+)?$/u, { message: 'Write resources as in secrets or configmaps.' }))
    .min(1)
    .max(20),
  backend: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('softhsm'),
      modulePath: absolutePathSchema,
      tokenLabel: tokenLabelSchema,
      keyLabel: tokenLabelSchema,
      tokenDirectory: absolutePathSchema,
      configDirectory: absolutePathSchema,
    }),
    z.strictObject({
      kind: z.literal('transit'),
      vaultAddress: z.url({ protocol: /^https?$/u }).max(2048),
      vaultNamespace: z.string().max(200),
      caFile: z.union([z.literal(''), absolutePathSchema]),
      mount: pathSegment,
      key: pathSegment,
      authMount: pathSegment,
      role: pathSegment,
      policy: pathSegment,
      serviceAccount: objectNameSchema,
      audience: z
        .string()
        .min(1)
        .max(200)
        .regex(/^[A-Za-z0-9:/._-]+$/u),
    }),
  ]),
  /** Which set-up the files are for. */
  platform: z.enum(['kubeadm', 'rke2', 'kind']),
  kind: z.strictObject({ clusterName: dnsLabelSchema, nodeImage: imageSchema }),
});

export type KmsPluginInput = z.infer<typeof kmsPluginInputSchema>;
