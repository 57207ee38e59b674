/** Plans of what is done to a cluster, and with what lies in one. No secret is in them. */
import { z } from 'zod';
import { clusterPinSchema, pushContentSchema } from './cluster-ports.ts';
import { namespaceSchema, objectNameSchema } from './recipes/fields.ts';
import { recipeInputSchema } from './recipes/recipes.ts';

/** In a push's outbox: the push is not followed any more, and what it kept of earlier values is gone. */
export const forgottenFile = 'push-forgotten';

export const valueSecretSchema = z.strictObject({ namespace: namespaceSchema, name: objectNameSchema });

/** By name; given to a Secret that is made. */
export const secretLabelsSchema = z.record(z.string().max(317), z.string().max(63));

/** Where key shares lie in a cluster, as ciphertext under a token's key. */
export const sharesInSecretSchema = z.strictObject({
  cluster: clusterPinSchema,
  secret: valueSecretSchema,
  /** Some or all of them are on the token, too. */
  alsoOnToken: z.boolean(),
});

const tokenOfPlanSchema = z.strictObject({
  storeId: z.string().min(1).max(80),
  serial: z.string().min(1).max(32),
  label: z.string().max(255),
});

/** Pushes what was previewed: the content is written down whole, so that a later version of a recipe changes nothing. */
export const clusterPushPlanSchema = z.strictObject({
  workflow: z.literal('cluster-push'),
  rehearsal: z.boolean(),
  cluster: clusterPinSchema,
  recipe: recipeInputSchema,
  content: pushContentSchema,
  /** Of the preview that the person saw. */
  previewSha256: z.string().regex(/^[0-9a-f]{64}$/u),
  /** The person saw the conflicts and takes those fields over. */
  takeOverConflicts: z.boolean(),
});

/** Undoes one push from what it recorded. */
export const clusterUndoPlanSchema = z.strictObject({
  workflow: z.literal('cluster-undo'),
  rehearsal: z.boolean(),
  cluster: clusterPinSchema,
  pushRunId: z.string().min(1).max(80),
  /** What dies and what comes back, as the person saw it. */
  losses: z.array(z.string().max(1000)).max(400),
});

/** Destroys what a push kept for its undo of earlier values, and undoes nothing. */
export const clusterForgetPlanSchema = z.strictObject({
  workflow: z.literal('cluster-forget'),
  rehearsal: z.boolean(),
  cluster: clusterPinSchema,
  pushRunId: z.string().min(1).max(80),
  /** The copies by name, as the person saw them. */
  losses: z.array(z.string().max(1000)).max(400),
});

/** Copies bank-vaults' values from a token into a Secret (mode hsm-k8s), reads them back and tries them on the token. */
export const secretStorePlanSchema = z.strictObject({
  workflow: z.literal('secret-store'),
  rehearsal: z.boolean(),
  cluster: clusterPinSchema,
  secret: valueSecretSchema,
  secretLabels: secretLabelsSchema,
  token: tokenOfPlanSchema,
  keyLabel: z.string().min(1).max(255),
  /** vault-unseal-0 …, vault-root */
  labels: z.array(z.string().min(1).max(255)).min(1).max(256),
  vaultName: z.string().max(80),
});

export const clusterPlanSchemas = [
  clusterPushPlanSchema,
  clusterUndoPlanSchema,
  clusterForgetPlanSchema,
  secretStorePlanSchema,
] as const;

export type SharesInSecret = z.infer<typeof sharesInSecretSchema>;
export type ClusterPushPlan = z.infer<typeof clusterPushPlanSchema>;
export type ClusterUndoPlan = z.infer<typeof clusterUndoPlanSchema>;
export type ClusterForgetPlan = z.infer<typeof clusterForgetPlanSchema>;
export type SecretStorePlan = z.infer<typeof secretStorePlanSchema>;
