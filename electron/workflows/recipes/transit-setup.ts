/** What the KMS plugin recipe wants to find inside Vault. Pure. Source: FORMATS 2.3, 2.4. */
import type { WantedInVault } from '../vault-setup-ports.ts';
import type { KmsPluginInput } from './kms-plugin.ts';

type Transit = Extract<KmsPluginInput['backend'], { readonly kind: 'transit' }>;

const rule = (path: string, capability: string): string => `path "${path}" {\n  capabilities = ["${capability}"]\n}\n`;

/** Encrypts, decrypts, reads the key's versions, keeps its own token alive. Neither rotates nor deletes. */
export function kmsPolicy(backend: Pick<Transit, 'mount' | 'key'>): string {
  const { mount, key } = backend;
  return [
    rule(`${mount}/encrypt/${key}`, 'update'),
    rule(`${mount}/decrypt/${key}`, 'update'),
    rule(`${mount}/keys/${key}`, 'read'),
    rule('auth/token/lookup-self', 'read'),
    rule('auth/token/renew-self', 'update'),
  ].join('\n');
}

/** The Secret that the recipe makes for the service account's token, with which Vault asks the cluster about others. */
export function reviewerSecret(input: {
  readonly namespace: string;
  readonly backend: Pick<Transit, 'serviceAccount'>;
}): { readonly namespace: string; readonly name: string } {
  return { namespace: input.namespace, name: `${input.backend.serviceAccount}-token` };
}

/** The cluster as Vault reaches it. */
export interface ReviewingCluster {
  /** https:// */
  readonly host: string;
  readonly certificateAuthorityPem: string;
  /** A token with an audience of Vault's is no log-in to the API server: a service account has to ask for it. */
  readonly reviewer: Extract<WantedInVault, { readonly kind: 'kubernetes-config' }>['reviewer'];
}

/**
 * In the order in which they are made. With a login by client certificate or AppRole only engine, key and policy: whom
 * those methods accept is decided by whoever runs them in Vault.
 * @param cluster undefined leaves the configuration of the kubernetes method alone
 */
export function wantedForKmsPlugin(
  input: KmsPluginInput,
  cluster: ReviewingCluster | undefined,
): readonly WantedInVault[] {
  const { backend } = input;
  if (backend.kind !== 'transit') return [];
  const wanted: WantedInVault[] = [
    { kind: 'transit-engine', mount: backend.mount },
    { kind: 'transit-key', mount: backend.mount, name: backend.key },
    { kind: 'policy', name: backend.policy, text: kmsPolicy(backend) },
  ];
  if (backend.login !== 'service-account') return wanted;
  wanted.push({ kind: 'kubernetes-auth', mount: backend.authMount });
  if (cluster !== undefined) wanted.push({ kind: 'kubernetes-config', mount: backend.authMount, ...cluster });
  wanted.push({
    kind: 'kubernetes-role',
    mount: backend.authMount,
    name: backend.role,
    serviceAccounts: [backend.serviceAccount],
    namespaces: [input.namespace],
    audience: backend.audience,
    policies: [backend.policy],
    timeToLive: 24 * 3600,
  });
  return wanted;
}
