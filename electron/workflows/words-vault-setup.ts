/** Every sentence of what is set up inside a Vault. */
import type { WantedInVault } from './vault-setup-ports.ts';

export const vaultSetUpWords = {
  title: 'Set up Vault for a KMS plugin',
  token: {
    title: 'Give a Vault token',
    explanation: (vaultName: string) =>
      `A token that may mount engines, write policies and enable log-ins in ${vaultName}. It is typed in the prompt window, held by the share host alone, and forgotten when the run ends. It is not revoked.`,
    action: 'Type the token',
    what: (vaultName: string) => `Vault token for ${vaultName}`,
    act: 'Set up Transit for a KMS plugin',
  },
  make: {
    'transit-engine': {
      title: 'Transit engine',
      explanation: 'The engine that encrypts and never gives its keys away is mounted, unless it is there.',
    },
    'transit-key': {
      title: 'Transit key',
      explanation:
        'An AES-256-GCM key that can be neither exported nor deleted is made, unless it is there. A key of another kind is left alone and said.',
    },
    policy: {
      title: 'Policy',
      explanation:
        'What the plugin may do: encrypt and decrypt with this key, read its versions, and renew its own log-in.',
    },
    'kubernetes-auth': {
      title: 'Kubernetes log-in',
      explanation: 'The way in which a Pod proves who it is to Vault is enabled, unless it is.',
    },
    'kubernetes-config': {
      title: 'Cluster that Vault asks',
      explanation:
        'Vault is told where the API server is, which authority signs its certificate, and with whose token it asks: the Pod’s own, or a service account’s that may review tokens.',
    },
    'kubernetes-role': {
      title: 'Role',
      explanation: 'Which service account in which namespace gets the policy, and for how long.',
    },
  } satisfies Readonly<Record<WantedInVault['kind'], { readonly title: string; readonly explanation: string }>>,
  makeAction: 'Go on',
  tryPolicy: {
    title: 'Try the policy',
    explanation:
      'A token with this policy alone, for one minute, encrypts and decrypts a test value. It must not be able to rotate or delete the key or to change its policy. Then it is revoked.',
    action: 'Try the policy',
  },
  forget: {
    title: 'Forget the token',
    explanation: 'The share host wipes the administrator’s token.',
    action: 'Forget it',
  },
  facts: { vault: 'Vault', namespace: 'Namespace', replaced: 'Put right where it differs' },
  evidence: {
    displayName: 'Token’s display name',
    tokenPolicies: 'Token’s policies',
    keyType: 'Key type',
    keyVersion: 'Key version',
    exportable: 'Exportable',
    deletable: 'Deletable',
    policySha256: 'Policy SHA-256',
    mount: 'Mount',
    host: 'API server',
    caSha256: 'API server’s authority SHA-256',
    serviceAccounts: 'Service accounts',
    namespaces: 'Namespaces',
    audience: 'Audience',
    policies: 'Policies',
    tokenForgotten: 'Token forgotten',
    tokenGivenAgain: 'Token given again',
  },
} as const;
