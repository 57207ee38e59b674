/** Every sentence about encryption at rest. */
import type { EncryptedResource } from './kms-ports.ts';

const names: Readonly<Record<EncryptedResource, string>> = { secrets: 'Secrets', configmaps: 'ConfigMaps' };

export const kmsWords = {
  title: 'Verify encryption at rest',
  names,
  others: (count: number) => (count === 1 ? 'objects of one more kind' : `objects of ${count.toString()} more kinds`),
  canary: {
    title: 'Write a canary and read it in etcd',
    explanation: (provider: string) =>
      `A Secret with a known text is written through the API server. Its bytes in etcd must begin with k8s:enc:kms:v2:${provider}: and must not hold that text. Then it is deleted.`,
    action: 'Write the canary',
  },
  count: {
    title: (name: string) => `Count ${name} by key`,
    explanation:
      'Every value is read in etcd and dropped again: how many are not encrypted, and how many lie under which key.',
    action: 'Count',
  },
  rewrite: {
    title: (name: string) => `Write ${name} again`,
    explanation:
      'The API server is asked to write each object as it is, in pages of 500; it encrypts with the key in force and leaves alone what lies under it already. No content passes through this program. It can be left at any time and goes on where it was.',
    action: 'Write them again',
    loss: (name: string, cluster: string) =>
      `Every one of the ${name} of cluster ${cluster} that lies under another key is written anew. Nothing is lost; watchers of the cluster see changes, and its etcd grows until it is compacted.`,
  },
  confirm: {
    title: (name: string) => `See that all ${name} are encrypted`,
    explanation: 'Counted once more: none may be unencrypted, and none under an old key.',
  },
  facts: {
    provider: 'Plugin',
    etcd: 'etcd',
    inPod: (pod: string) => `inside the Pod ${pod === '' ? 'with the label component=etcd' : pod} of kube-system`,
    resources: 'Kinds',
    reencrypt: 'Re-encrypt',
    yes: 'yes',
    no: 'no',
  },
  evidence: {
    provider: 'Encrypted by',
    kmsKeyId: 'Key id of the plugin',
    beginsWith: 'Begins in etcd with',
    counted: 'Counted',
    unencrypted: 'Not encrypted',
    underOtherKeys: 'Under other keys',
    underKey: 'Under the key in force',
    byKey: 'By key',
    rewrittenObjects: 'Written again',
    goneObjects: 'Deleted meanwhile',
  },
} as const;

/** Evidence by which a re-encryption goes on where it was. */
export const kmsProgramEvidence: readonly string[] = ['rewriteContinueFrom', 'rewriteResource'];
