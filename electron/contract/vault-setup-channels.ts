/**
 * The channels of what is set up in a Vault for a KMS plugin, and of the files by which etcd is read. Main plans a
 * set-up itself from the recipe; the path of a file is one that a person chose in main's dialog.
 */
import { z } from 'zod';
import { recipeFormSchema } from './cluster-channels.ts';

const nothing = z.strictObject({});

export const vaultSetUpChannels = {
  /** The policy that a recipe's plugin gets in Vault, as it is written. Pure; '' where the recipe has no Transit or is not in order. */
  'transit.policy': {
    request: z.strictObject({ form: recipeFormSchema }),
    reply: z.strictObject({ policy: z.string() }),
  },
  /** Opens the file dialog for the authority behind a cluster's API server (PEM), which is parsed. */
  'transit.choose-authority': {
    request: nothing,
    reply: z.strictObject({
      chosen: z.boolean(),
      fileName: z.string(),
      subject: z.string(),
      sha256: z.string(),
      certificateAuthorityPem: z.string(),
    }),
  },
  /** Writes the plan of what the recipe wants in this Vault to a new run's journal. Nothing is made before the run goes on. */
  'transit.start': {
    request: z.strictObject({
      vaultId: z.string().min(1).max(80),
      form: recipeFormSchema,
      /** The cluster that Vault asks about service accounts; '' where the plugin logs in by a certificate. */
      contextId: z.string().max(80),
      /** '' for the kubeconfig's server. */
      host: z.union([z.literal(''), z.url({ protocol: /^https$/u }).max(2048)]),
      /** '' has it read from the cluster. */
      certificateAuthorityPem: z.string().max(100_000),
      /** Policy, role and configuration are put right where they differ. */
      replaceDiffering: z.boolean(),
    }),
    reply: z.strictObject({ runId: z.string() }),
  },
  /** What a cluster keeps in etcd and can write again, as EncryptionConfiguration names it. */
  'etcd.list-kinds': {
    request: z.strictObject({ contextId: z.string().min(1).max(80) }),
    reply: z.strictObject({ kinds: z.array(z.string()) }),
  },
  /** Opens the file dialog for one of the files by which etcd is read. path is '' when cancelled. */
  'etcd.choose-file': {
    request: z.strictObject({ part: z.enum(['ca', 'certificate', 'key']) }),
    reply: z.strictObject({ path: z.string() }),
  },
} as const;
