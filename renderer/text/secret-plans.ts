/** A Secret in a cluster: which one, and copying a token's values there. */
import { count } from './count.ts';

export const secretChoice = {
  cluster: 'Cluster',
  clusterNone: 'Choose a cluster',
  clustersNone: 'No cluster can be used now. Look under Clusters what is in the way.',
  pinned: (server: string) => `Held to ${server}: another cluster under the same name is refused.`,
  namespace: 'Namespace',
  name: 'Secret',
  words: (namespace: string, name: string, context: string) => `Secret ${namespace}/${name} in ${context}`,
  someSecret: 'the Secret',
  errorCluster: 'Choose the cluster that the Secret is in.',
  errorNamespace: 'Give the Secret’s namespace: small letters, digits and hyphens.',
  errorName: 'Give the Secret’s name: small letters, digits, hyphens and dots.',
} as const;

export const secretStore = {
  title: 'Copy values into a Secret',
  lead: 'The ciphertexts as they lie on the token, under the names that bank-vaults reads (hsm-k8s). They stay on the token, too.',
  values: (values: number) => count(values, 'value', 'values'),
  valuesNone: 'No value of bank-vaults is on this token.',
  errorKey: 'Choose the wrapping key that the values are encrypted under.',
  secretTitle: 'Where they go',
  vault: 'Vault they belong to',
  vaultHelp: 'Remembered, so that the next unseal finds the Secret.',
  vaultNone: 'Not said',
  will: {
    check: (context: string) => `“${context}” is looked at: the same cluster, reachable, with the rights it takes.`,
    read: (label: string) => `You type the PIN of “${label}”. Its ciphertexts are read.`,
    write: (values: number, secret: string) =>
      `${count(values, 'value is', 'values are')} written to ${secret}. A value that is there and differs is never replaced.`,
    verify: 'Each is read back, compared, and decrypted once on the token.',
  },
} as const;
