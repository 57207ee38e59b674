/**
 * What a window sees of clusters, recipes and pushes. Allow-lists like every view: names of Secrets and of their
 * keys are there, what they hold is not, and a kubeconfig's credentials are named by their kind alone.
 */
import { z } from 'zod';
import { diffLineSchema } from '../workflows/cluster-ports.ts';
import { recipeNameSchema } from '../workflows/recipes/recipes.ts';
import { failureViewSchema } from './failure-view.ts';

/** Something outside of a kubeconfig that using a context would run or read. */
export const outsidePartViewSchema = z.strictObject({
  /** What `clusters.allow` is asked with; main knows what it stands for. */
  id: z.string(),
  kind: z.enum(['exec-program', 'auth-provider', 'file']),
  path: z.string(),
  /** Of the file's content, hex; '' where it is not there. */
  sha256: z.string(),
  detail: z.string(),
  allowed: z.boolean(),
});

export const clusterContextViewSchema = z.strictObject({
  id: z.string(),
  context: z.string(),
  isCurrent: z.boolean(),
  clusterName: z.string(),
  server: z.string(),
  userName: z.string(),
  /** 'certificate', 'exec', …: the kind of the credential. */
  authentication: z.string(),
  namespace: z.string(),
  definedIn: z.string(),
  insecure: z.boolean(),
  outside: z.array(outsidePartViewSchema),
  /** Everything outside was allowed as it is now. */
  allowed: z.boolean(),
  state: z.enum(['unknown', 'looking', 'reachable', 'unreachable']),
  serverVersion: z.string(),
  seenAs: z.string(),
  withinSkew: z.boolean(),
  lastSeen: z.string(),
  /** What the files themselves are wrong in; '' for nothing. */
  fault: z.string(),
  /** Why it could not be reached, or not be asked. */
  problem: failureViewSchema.nullable(),
});

export const clustersViewSchema = z.strictObject({
  state: z.enum(['looking', 'ready', 'failed']),
  kubectl: z.strictObject({
    state: z.enum(['unknown', 'found', 'missing']),
    path: z.string(),
    version: z.string(),
    problem: failureViewSchema.nullable(),
  }),
  contexts: z.array(clusterContextViewSchema),
  /** Why no context is listed. */
  problem: failureViewSchema.nullable(),
});

export const objectNameViewSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
});

export const driftObjectViewSchema = z.strictObject({
  object: objectNameViewSchema,
  state: z.enum(['same', 'changed', 'missing', 'unknown']),
  changedBy: z.array(z.string()),
  /** Secrets masked on both sides; the first lines. */
  diff: z.array(diffLineSchema),
  /** Lines of the diff that are left out here. */
  linesLeftOut: z.number(),
});

export const pushViewSchema = z.strictObject({
  runId: z.string(),
  context: z.string(),
  server: z.string(),
  recipe: recipeNameSchema,
  subject: z.string(),
  time: z.string(),
  /** stopped: abandoned half way, with something of it in the cluster. */
  state: z.enum(['under-way', 'pushed', 'stopped', 'undone']),
  drift: z.strictObject({
    state: z.enum(['not-checked', 'checking', 'same', 'drifted', 'unknown']),
    checkedAt: z.string(),
    objects: z.array(driftObjectViewSchema),
    problem: failureViewSchema.nullable(),
  }),
});

export type OutsidePartView = z.infer<typeof outsidePartViewSchema>;
export type ClusterContextView = z.infer<typeof clusterContextViewSchema>;
export type ClustersView = z.infer<typeof clustersViewSchema>;
export type ObjectNameView = z.infer<typeof objectNameViewSchema>;
export type DriftObjectView = z.infer<typeof driftObjectViewSchema>;
export type PushView = z.infer<typeof pushViewSchema>;
