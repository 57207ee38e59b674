/**
 * What a KMS plugin needs in Vault or OpenBao, as wanted facts: each is looked at, then made where it is missing.
 * The token that may do so is typed in the prompt window and held by the share host alone, for one run. Pure.
 */
import { z } from 'zod';
import type {
  AppFailureCode,
  ClusterFailureCode,
  CustodyFailureCode,
  PgpFailureCode,
  Result,
  VaultFailureCode,
} from './failures.ts';
import { valueSecretSchema } from './cluster-plans.ts';
import { clusterPinSchema, type ClusterPin, type ValueSecret } from './cluster-ports.ts';
import type { SealedSecretValue, VaultConnection } from './ports.ts';

type SetUpResult<Value> = Promise<
  Result<Value, VaultFailureCode | PgpFailureCode | CustodyFailureCode | AppFailureCode>
>;

/** A mount, key, policy or role name as it becomes part of a path: nothing that changes the path. */
const pathName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$/u, { message: 'Use letters, digits, _ and -, with . or / between.' });

const kubernetesName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/u);

/**
 * With which token Vault asks the cluster whether a Pod's is real. 'client': with the Pod's own, which then has to be
 * meant for the API server too (no audience of Vault's). 'service-account': with a lasting one from a Secret of type
 * kubernetes.io/service-account-token; it goes from the cluster host to the share host sealed.
 */
const reviewerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('client') }),
  z.strictObject({ kind: z.literal('service-account'), cluster: clusterPinSchema, secret: valueSecretSchema }),
]);

export const wantedInVaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('transit-engine'), mount: pathName }),
  /** AES-256-GCM, not exportable, not deletable: what a key for keys should be. */
  z.strictObject({ kind: z.literal('transit-key'), mount: pathName, name: pathName }),
  z.strictObject({ kind: z.literal('policy'), name: pathName, text: z.string().min(1).max(20_000) }),
  z.strictObject({ kind: z.literal('kubernetes-auth'), mount: pathName }),
  z.strictObject({
    kind: z.literal('kubernetes-config'),
    mount: pathName,
    host: z.url({ protocol: /^https$/u }).max(2048),
    certificateAuthorityPem: z.string().min(1).max(100_000),
    reviewer: reviewerSchema,
  }),
  z.strictObject({
    kind: z.literal('kubernetes-role'),
    mount: pathName,
    name: pathName,
    serviceAccounts: z.array(kubernetesName).min(1).max(20),
    namespaces: z.array(kubernetesName).min(1).max(20),
    audience: z.string().max(200),
    policies: z.array(pathName).min(1).max(20),
    /** Seconds. */
    timeToLive: z.number().int().min(60).max(2_764_800),
  }),
]);

export type WantedInVault = z.infer<typeof wantedInVaultSchema>;

export const foundInVaultSchema = z.strictObject({
  state: z.enum(['missing', 'same', 'different']),
  /** Which facts differ, in Vault's own names: type, policy, audience … */
  differs: z.array(z.string().max(80)).max(40),
  /** What a transcript tells of it: never a secret. */
  facts: z.record(z.string().max(80), z.union([z.string().max(1000), z.number(), z.boolean()])),
});
export type FoundInVault = z.infer<typeof foundInVaultSchema>;

export interface VaultSetUpPort {
  /**
   * Hands over the administrator's token, sealed to the share host for `vaultToken`, and has Vault say what it is.
   * It is held for this run until `forgetToken` or the end of the host. Vault_PermissionDenied for a token that is none.
   */
  holdToken(
    runId: string,
    connection: VaultConnection,
    namespace: string,
    token: SealedSecretValue,
  ): SetUpResult<{ readonly displayName: string; readonly policies: readonly string[]; readonly secondsLeft: number }>;
  holdsToken(runId: string): SetUpResult<{ readonly held: boolean }>;
  /** Vault_TokenNeeded where the host holds no token for this run. */
  look(runId: string, wanted: WantedInVault): SetUpResult<FoundInVault>;
  /** Makes it, or puts it right where `replace` says so; looks again before it answers. Vault_SetUpDiffers otherwise. */
  /** @param reviewerToken sealed to the share host for `reviewerToken`; where the wanted reviewer is a service account */
  make(
    runId: string,
    wanted: WantedInVault,
    replace: boolean,
    reviewerToken?: SealedSecretValue,
  ): SetUpResult<FoundInVault & { readonly made: boolean }>;
  /**
   * A token with this policy alone, for a minute, encrypts and decrypts a test value and may neither rotate nor
   * delete the key nor change its policy. Then it is revoked. Vault_PolicyUnsuitable says which of it does not hold.
   */
  tryPolicy(
    runId: string,
    tried: { readonly policy: string; readonly mount: string; readonly key: string },
  ): SetUpResult<{ readonly keyVersion: number }>;
  forgetToken(runId: string): SetUpResult<Record<string, never>>;
}

/** What Vault has to know of a cluster, so that it can ask it about a Pod's token. */
export interface ReviewPort {
  /** The authority that signs the API server's certificate, from the ConfigMap kube-root-ca.crt. Cluster_NotFound where there is none. */
  readAuthority(
    pin: ClusterPin,
  ): Promise<Result<{ readonly certificateAuthorityPem: string }, ClusterFailureCode | AppFailureCode>>;
  /** The token of a service account's Secret, sealed. Cluster_NotFound; Cluster_ValueInvalid for a Secret of another type. */
  sealReviewerToken(
    pin: ClusterPin,
    secret: ValueSecret,
    recipient: string,
  ): Promise<Result<SealedSecretValue, ClusterFailureCode | AppFailureCode>>;
}
