/**
 * What is asked of clusters, in the words of a custodian and never of a command. Behind it stands the cluster host
 * (`k8s-bridge/cluster-host.ts`), the one process that runs kubectl. Pure: schemas and types.
 */
import { z } from 'zod';
import type { AppFailureCode, ClusterFailureCode, Result } from './failures.ts';
import type { RecipeInput, RecipeName } from './recipes/recipes.ts';

type ClusterResult<Value> = Promise<Result<Value, ClusterFailureCode | AppFailureCode>>;

const shortText = z.string().max(512);
const path = z.string().min(1).max(4096);
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/u);

// ---------------------------------------------------------------- which cluster

/** Something outside the kubeconfig that using a context would run or read: it must be allowed once. */
export const outsidePartSchema = z.strictObject({
  kind: z.enum(['exec-program', 'auth-provider', 'file']),
  /** The program as it would be found (absolute), or the file; the provider's name for an auth-provider. */
  path: z.string().max(4096),
  /**
   * Of the program's file, of the file that is read or of the provider's settings without its tokens, hex; '' where
   * it is not there.
   */
  sha256: z.string().max(64),
  /** exec: its arguments, and the names of its variables, for a person to read. file: which field names it, such as client-key. */
  detail: z.string().max(4096),
});

/** A kubeconfig's context, from the files alone: nothing was run, nothing contacted. */
export const clusterContextSchema = z.strictObject({
  /** Stable for one context of one set of files: SHA-256 over both, 16 hex digits. */
  id: z.string().max(80),
  context: shortText,
  /** The files, in the order in which kubectl reads them. */
  kubeconfigPaths: z.array(path).min(1).max(64),
  /** Where the context stands among them. */
  definedIn: path,
  isCurrent: z.boolean(),
  clusterName: shortText,
  server: z.string().max(2048),
  /**
   * SHA-256 of the cluster's CA (as it stands in or beside the kubeconfig), '' for the system's; where the kubeconfig
   * gives another name for the certificate (tls-server-name), of that hash in hex, a space and the name.
   */
  caSha256: z.string().max(64),
  userName: shortText,
  /** 'certificate', 'token', 'exec', … never the credential. */
  authentication: shortText,
  namespace: shortText,
  /** insecure-skip-tls-verify is on: refused for pushes. */
  insecure: z.boolean(),
  outside: z.array(outsidePartSchema).max(64),
  /** What is wrong with it, in words; '' for nothing: a cluster or user that is not there, a file that cannot be read. */
  problem: z.string().max(2000),
});

/** What a preview was made for. Everything is compared again before anything is pushed. */
export const clusterPinSchema = z.strictObject({
  context: z.string().min(1).max(512),
  kubeconfigPaths: z.array(path).min(1).max(64),
  clusterName: shortText,
  server: z.string().min(1).max(2048),
  caSha256: z.string().max(64),
  userName: shortText,
  /** UID of the namespace kube-system, the nearest thing to a cluster's identity; '' where it may not be read. */
  clusterUid: z.string().max(64),
});

/** What a person has allowed: a program or file by its path and content. */
export const allowanceSchema = z.strictObject({
  kind: z.enum(['exec-program', 'auth-provider', 'file']),
  path: z.string().max(4096),
  sha256: z.string().max(64),
  /** exec-program: the arguments that were allowed with it, as they were shown. */
  detail: z.string().max(4096).exactOptional(),
});

export const clusterStateSchema = z.strictObject({
  reachable: z.boolean(),
  /** 'v1.34.4', '' when not reached. */
  serverVersion: z.string().max(80),
  clusterUid: z.string().max(64),
  /** Who the server says we are (SelfSubjectReview); '' where it does not. */
  seenAs: shortText,
  /** kubectl and server are at most one minor version apart. */
  withinSkew: z.boolean(),
  kubectlVersion: z.string().max(80),
  problem: z.string().max(2000),
});

// ---------------------------------------------------------------- rights

export const accessNeedSchema = z.strictObject({
  verb: z.enum(['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']),
  group: z.string().max(253),
  resource: z.string().max(253),
  subresource: z.string().max(80),
  namespace: z.string().max(253),
  name: z.string().max(253),
});

export const accessAnswerSchema = z.strictObject({ need: accessNeedSchema, allowed: z.boolean(), reason: shortText });

// ---------------------------------------------------------------- objects

export const objectReferenceSchema = z.strictObject({
  apiVersion: z.string().min(1).max(253),
  kind: z.string().min(1).max(253),
  /** '' for what belongs to no namespace. */
  namespace: z.string().max(253),
  name: z.string().min(1).max(253),
});

/** JSON as a manifest holds it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export const jsonSchema: z.ZodType<Json> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(jsonSchema), z.record(z.string(), jsonSchema)]),
);
export const manifestSchema = z.record(z.string(), jsonSchema);
export type Manifest = z.infer<typeof manifestSchema>;

/** A value of a Secret that no manifest holds: it comes sealed from the prompt, at the push. */
export const secretValueSlotSchema = z.strictObject({
  reference: objectReferenceSchema,
  key: z.string().min(1).max(253),
  /** What is typed, in words: “User PIN of token bank-vaults”. */
  what: shortText,
});

/** A change to one node's status or metadata, where server-side apply is not what is wanted. */
export const nodePatchSchema = z.strictObject({
  node: z.string().min(1).max(253),
  subresource: z.enum(['', 'status']),
  /** RFC 6902. */
  operations: z
    .array(
      z.strictObject({
        op: z.enum(['add', 'remove', 'replace', 'test']),
        path: z.string().min(1).max(1024),
        value: jsonSchema.exactOptional(),
      }),
    )
    .min(1)
    .max(64),
  /** What it does, for a person. */
  summary: shortText,
});

/** What is pushed, whole. Holds no secret: `secretSlots` says which values are still to come. */
export const pushContentSchema = z.strictObject({
  objects: z.array(manifestSchema).max(200),
  secretSlots: z.array(secretValueSlotSchema).max(20),
  patches: z.array(nodePatchSchema).max(100),
  /** Whose rollout is watched after the push. */
  rollouts: z.array(objectReferenceSchema).max(50),
});

export const diffLineSchema = z.strictObject({
  kind: z.enum(['same', 'added', 'removed', 'gap']),
  text: z.string().max(4000),
});

export const fieldConflictSchema = z.strictObject({
  manager: shortText,
  /** 'Update' or 'Apply'. */
  operation: z.string().max(40),
  /** As kubectl writes it: .spec.replicas */
  field: z.string().max(1024),
});

export const previewObjectSchema = z.strictObject({
  reference: objectReferenceSchema,
  change: z.enum(['new', 'changed', 'same', 'refused']),
  /** Secrets masked on both sides. */
  diff: z.array(diffLineSchema).max(5000),
  conflicts: z.array(fieldConflictSchema).max(200),
  /** The object is there and was made by somebody else (no field of it is ours). */
  ownedByOthers: z.array(shortText).max(50),
  /** The server's own words where it refused the dry run: a webhook, a schema, a quota. '' for none. */
  refusal: z.string().max(4000),
});

export const pushPreviewSchema = z.strictObject({
  objects: z.array(previewObjectSchema).max(400),
  /** SHA-256 over what was shown: a push for another digest is refused. */
  sha256: sha256Hex,
  missingRights: z.array(accessAnswerSchema).max(400),
  /** RBAC rules that would grant them, as YAML; '' where nothing is missing. */
  rightsManifest: z.string().max(20_000),
  /** Kinds that the cluster does not know, and what installs them. */
  missingKinds: z.array(z.strictObject({ kind: shortText, install: z.string().max(1000) })).max(50),
  warnings: z.array(z.string().max(2000)).max(100),
});

/** What an undo needs, written to disk before anything is changed. No secret: a Secret's data is kept in the cluster. */
export const pushRecordSchema = z.strictObject({
  pushId: z.string().min(1).max(80),
  cluster: clusterPinSchema,
  content: pushContentSchema,
  before: z
    .array(
      z.strictObject({
        reference: objectReferenceSchema,
        /** null: there was none. */
        manifest: manifestSchema.nullable(),
        /** For a Secret whose values are replaced: the object beside it that keeps the earlier ones; '' for none. */
        keptIn: z.string().max(253),
      }),
    )
    .max(400),
  patchesBefore: z.array(nodePatchSchema).max(100),
});

export const objectOutcomeSchema = z.strictObject({
  reference: objectReferenceSchema,
  outcome: z.enum(['created', 'changed', 'unchanged', 'deleted', 'restored', 'failed', 'not-reached']),
  uid: z.string().max(64),
  problem: z.string().max(4000),
});

export const rolloutStateSchema = z.strictObject({
  reference: objectReferenceSchema,
  state: z.enum(['ready', 'progressing', 'failed', 'missing']),
  /** '2 of 3 ready' */
  text: shortText,
  /** Newest last: events and, where a container failed, the end of its log. */
  lines: z.array(z.string().max(2000)).max(200),
});

export const driftSchema = z.strictObject({
  reference: objectReferenceSchema,
  state: z.enum(['same', 'changed', 'missing', 'unknown']),
  diff: z.array(diffLineSchema).max(5000),
  /** Who changed it, by field manager. */
  changedBy: z.array(shortText).max(50),
});

export type ClusterContext = z.infer<typeof clusterContextSchema>;
export type ClusterPin = z.infer<typeof clusterPinSchema>;
export type ClusterState = z.infer<typeof clusterStateSchema>;
export type OutsidePart = z.infer<typeof outsidePartSchema>;
export type Allowance = z.infer<typeof allowanceSchema>;
export type AccessNeed = z.infer<typeof accessNeedSchema>;
export type AccessAnswer = z.infer<typeof accessAnswerSchema>;
export type ObjectReference = z.infer<typeof objectReferenceSchema>;
export type SecretValueSlot = z.infer<typeof secretValueSlotSchema>;
export type NodePatch = z.infer<typeof nodePatchSchema>;
export type PushContent = z.infer<typeof pushContentSchema>;
export type DiffLine = z.infer<typeof diffLineSchema>;
export type PreviewObject = z.infer<typeof previewObjectSchema>;
export type PushPreview = z.infer<typeof pushPreviewSchema>;
export type PushRecord = z.infer<typeof pushRecordSchema>;
export type ObjectOutcome = z.infer<typeof objectOutcomeSchema>;
export type RolloutState = z.infer<typeof rolloutStateSchema>;
export type Drift = z.infer<typeof driftSchema>;

// ---------------------------------------------------------------- recipes, rendered

/** A file that a person puts somewhere by hand: on a control-plane node, into git, into Vault's configuration. */
export interface RecipeFile {
  readonly name: string;
  readonly language: 'yaml' | 'json' | 'hcl' | 'shell' | 'text';
  readonly text: string;
  /** Where it goes and what then, in a sentence. */
  readonly place: string;
}

export interface RenderedRecipe {
  readonly content: PushContent;
  readonly files: readonly RecipeFile[];
  /** What a person should know before pushing, in plain words. */
  readonly notes: readonly string[];
}

export interface RecipeProblem {
  /** Dotted path of the field in the recipe's input; '' for the whole. */
  readonly path: string;
  readonly message: string;
}

export type RecipeOutput = 'manifests' | 'kustomize' | 'helm-values';

/** A sealed secret as `electron/sealing` makes it. */
type Sealed = { readonly ephemeralPublicKey: string; readonly nonce: string; readonly ciphertext: string };

export interface SealedSlotValue {
  readonly reference: ObjectReference;
  readonly key: string;
  readonly sealed: Sealed;
}

/** A Secret that holds bank-vaults' values (mode hsm-k8s). */
export interface ValueSecret {
  readonly namespace: string;
  readonly name: string;
}

export interface ClusterPort {
  /** The cluster host's sealing key, and which kubectl it runs. Cluster_KubectlMissing, Cluster_KubectlUnsuitable. */
  describeKubectl(): ClusterResult<{
    readonly path: string;
    readonly version: string;
    readonly sealingPublicKey: string;
  }>;
  /** Contexts of every kubeconfig in use (KUBECONFIG's list, else ~/.kube/config). Contacts nobody, runs nothing. */
  listContexts(): ClusterResult<readonly ClusterContext[]>;
  /** Remembers what a person allowed. */
  allow(parts: readonly OutsidePart[]): Promise<Result<Record<string, never>>>;
  /** Whether everything outside that a context would use has been allowed as it is now. */
  isAllowed(context: ClusterContext): boolean;
  /** Makes a pin of a context as it is now. Cluster_NotAllowed, Cluster_ContextInvalid, Cluster_Unreachable … */
  pin(contextId: string): ClusterResult<ClusterPin>;
  /** Reaches the cluster. What is wrong is in the state, not a failure, except what keeps kubectl from running at all. */
  probe(pin: ClusterPin): ClusterResult<ClusterState>;
  checkRights(pin: ClusterPin, needs: readonly AccessNeed[]): ClusterResult<readonly AccessAnswer[]>;

  /** Pure: a recipe's form with sensible defaults (`defaultInput` of k8s-bridge/manifests). */
  defaults(recipe: RecipeName): RecipeInput;
  /** Pure: what a recipe becomes, or what is wrong with its fields. */
  render(
    input: unknown,
  ):
    | { readonly ok: true; readonly input: RecipeInput; readonly rendered: RenderedRecipe }
    | { readonly ok: false; readonly problems: readonly RecipeProblem[] };
  /** Pure: files for git. No secret is in them. */
  export(rendered: RenderedRecipe, input: RecipeInput, output: RecipeOutput): readonly RecipeFile[];

  preview(pin: ClusterPin, content: PushContent): ClusterResult<PushPreview>;
  /**
   * Reads what is there and keeps it: what `apply` needs on disk first. Secrets whose values are replaced are copied
   * beside themselves in the cluster under a name that the record tells.
   */
  preparePush(pin: ClusterPin, content: PushContent, pushId: string): ClusterResult<PushRecord>;
  /** Server-side apply in one call. Answers for every object, also where some failed; may be repeated. */
  apply(
    record: PushRecord,
    options: { readonly takeOverConflicts: boolean; readonly secrets: readonly SealedSlotValue[] },
  ): ClusterResult<readonly ObjectOutcome[]>;
  /**
   * What of a push is in, without changing anything: 'created' or 'changed' for what is in (by what was there before),
   * 'unchanged' where there was nothing to change, 'not-reached' for what is not in, or not any more.
   */
  lookAtPush(record: PushRecord): ClusterResult<readonly ObjectOutcome[]>;
  /** One look at each rollout, with events and logs of what fails. */
  lookAtRollouts(pin: ClusterPin, references: readonly ObjectReference[]): ClusterResult<readonly RolloutState[]>;
  /**
   * Restores what was there, or deletes what was new. The copies of replaced Secrets stay (`forgetKeptSecrets`). May be
   * repeated: 'restored', 'deleted', 'unchanged' for what is as it was before the push already.
   */
  undo(record: PushRecord): ClusterResult<readonly ObjectOutcome[]>;
  /** Removes the copies of replaced Secrets once a push is undone: nothing else needs them. */
  forgetKeptSecrets(record: PushRecord): ClusterResult<Record<string, never>>;
  checkDrift(record: PushRecord): ClusterResult<readonly Drift[]>;

  /** bank-vaults' values of a Secret (mode hsm-k8s): ciphertexts. Undefined where there is no such Secret. */
  readValues(
    pin: ClusterPin,
    secret: ValueSecret,
  ): ClusterResult<
    { readonly resourceVersion: string; readonly values: Readonly<Record<string, Uint8Array>> } | undefined
  >;
  /**
   * Adds values; refuses to replace one that differs (Cluster_ValueExists). Reads back and compares before it answers.
   */
  writeValues(
    pin: ClusterPin,
    secret: ValueSecret,
    values: Readonly<Record<string, Uint8Array>>,
    labels: Readonly<Record<string, string>>,
  ): ClusterResult<{ readonly created: boolean; readonly written: readonly string[] }>;
  /** Removes single values, for a trial and an undo. */
  removeValues(pin: ClusterPin, secret: ValueSecret, keys: readonly string[]): ClusterResult<Record<string, never>>;

  /** Names of one kind, a page at a time: for forms and lists of thousands. */
  listNames(
    pin: ClusterPin,
    what: {
      readonly kind: 'namespaces' | 'nodes' | 'secrets' | 'configmaps';
      readonly namespace: string;
      readonly continueFrom: string;
    },
  ): ClusterResult<{
    readonly names: readonly { readonly namespace: string; readonly name: string }[];
    readonly continueFrom: string;
    readonly remaining: number;
  }>;
  /** Ends the host and what it runs. */
  close(): Promise<void>;
}
