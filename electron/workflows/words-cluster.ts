/** The sentences of everything that is done to a cluster, and with bank-vaults' values in one. */

const named = (name: string): string => `“${name}”`;

export const clusterWords = {
  check: {
    title: 'Check the cluster',
    explanation: (name: string, server: string) =>
      `The kubeconfig has to name the same server, certificate authority and user as when this was planned, and the cluster ${named(name)} at ${server} has to be the same one. Nothing is changed.`,
    action: 'Check the cluster',
  },
  logIn: {
    title: 'Log in to the token',
    explanation: 'The user PIN is typed in the prompt window and goes to the token alone.',
    action: 'Type the PIN',
  },
  push: {
    title: 'Push to a cluster',
    confirm: {
      title: 'See that nothing has changed since the preview',
      explanation:
        'The server tries everything once more without keeping it (dry run), and the differences are drawn again. They must be those that were shown.',
      action: 'Compare',
    },
    keep: {
      title: 'Keep what is there now',
      explanation:
        'What each object is like now is written to this run’s folder before anything is changed, so that the push can be undone. The earlier values of a Secret stay in the cluster, in a Secret beside it.',
      action: 'Keep it',
    },
    apply: {
      title: 'Push',
      explanation: (objects: number) =>
        `${objects === 1 ? 'The object is' : `The ${objects.toString()} objects are`} applied by the server (server-side apply) under this program’s own field manager. If it stops half way, it is said which objects are in, and the step can be begun again.`,
      withValues:
        ' The values that go into a Secret are typed in the prompt window first and go to the cluster alone: they are in no file and in no argument.',
      action: 'Push now',
      act: (cluster: string) => `Push to cluster ${cluster}`,
      typed: (what: string, secret: string) => `${what} (for the Secret ${secret})`,
      loss: (object: string) => `${object}: what is there is replaced where the preview shows it`,
      value: (secret: string, key: string) => `Secret ${secret}: the value ${key} is replaced, if there is one`,
      patch: (node: string, summary: string) => `Node ${node}: ${summary}`,
      takeOver: 'Fields that another manager has set are taken over, as the preview shows them',
    },
    watch: {
      title: 'Watch the rollout',
      explanation:
        'Each workload is looked at until it is ready. This can be left: the push is done, and whoever continues the run watches on.',
      action: 'Watch on',
    },
    settle: {
      title: 'Read everything back',
      explanation:
        'Each object is read once more and what is in is written down. What was there before is kept for an undo.',
      action: 'Read back',
    },
  },
  undo: {
    title: 'Undo a push',
    step: {
      title: 'Undo the push',
      explanation:
        'What was there before the push is put back, and what was new is deleted. It is read from the record of the push, and can be begun again.',
      action: 'Undo it now',
    },
    settle: {
      title: 'Read everything back',
      explanation:
        'Each object is read once more, to see that nothing of the push is left. Then the copies of earlier values, which the push kept in the cluster, are removed.',
      action: 'Read back',
    },
    factPush: 'Push',
  },
  forget: {
    title: 'Forget what a push kept',
    lossOfCopy: (copy: string, original: string) =>
      `${copy} is deleted: the values that ${original} had before the push exist nowhere else that this program knows of, and no undo brings them back.`,
    lossOfWatch: 'The push is no longer compared with the cluster when the app starts.',
    step: {
      title: 'Destroy the copies of earlier values',
      explanation:
        'The Secrets in which the push kept earlier values are deleted. What the push has put in stays as it is. Everything but those values can still be undone.',
      action: 'Destroy the copies',
    },
  },
  secret: {
    title: 'Store a token’s values in a Secret',
    act: 'Log in to store the values in a Secret',
    room: {
      title: (secret: string) => `Check the Secret ${secret}`,
      forInit: 'The Secret must not hold any share or root token yet: bank-vaults would take them for this Vault’s.',
      forStore: 'A value that is in the Secret already must be the very one that is on the token.',
      action: 'Check the Secret',
    },
    trial: {
      title: 'Store a trial value in the Secret',
      explanation: 'A random value is encrypted, put into the Secret, read back, decrypted on the token and removed.',
      action: 'Store a trial value',
    },
    store: {
      title: (secret: string) => `Store the values in the Secret ${secret}`,
      explanation: (count: number) =>
        `${count === 1 ? 'The value goes' : `All ${count.toString()} values go`} into the Secret as they are on the token: encrypted under its key, in bank-vaults’ form. No other value is ever replaced.`,
      action: 'Store in the Secret',
    },
    verify: {
      title: 'Read every value back',
      explanation:
        'Each value in the Secret is compared with the one on the token and decrypted there, to see that the Secret could stand in for it.',
      action: 'Read back',
    },
    storeFromEscrow: {
      explanation:
        'The encrypted values are written into the Secret in bank-vaults’ form, read back, and each is decrypted on the token.',
    },
  },
  unseal: {
    title: (secret: string) => `Give the shares from the Secret ${secret}`,
    explanation:
      'The encrypted shares are read from the cluster, decrypted on the local token one after the other, and given to every sealed node until the threshold is met.',
    action: 'Unseal',
  },
} as const;

/** What evidence of clusters is called on screens and in transcripts. */
export const clusterEvidenceNames: Readonly<Record<string, string>> = {
  context: 'Context',
  server: 'Server',
  serverVersion: 'Kubernetes version',
  kubectlVersion: 'kubectl version',
  clusterUid: 'UID of the cluster (kube-system)',
  seenAs: 'Seen by the server as',
  previewSha256: 'Preview, SHA-256',
  objectsToCome: 'Objects that the push changes',
  recordFile: 'Record for an undo',
  recordSha256: 'Record, SHA-256',
  keptSecrets: 'Earlier values kept in',
  keptSecretsRemoved: 'Copies of earlier values removed',
  created: 'Created',
  changed: 'Changed',
  unchanged: 'As they were',
  removed: 'Deleted',
  restored: 'Put back',
  failed: 'Not taken',
  notReached: 'Not reached',
  valuesTyped: 'Values typed',
  rollouts: 'Rollouts',
  secret: 'Secret',
  secretValues: 'Values in the Secret',
  valuesSha256: 'Ciphertexts, SHA-256',
  trialKey: 'Trial value',
};

/** Evidence of clusters by which the program tells what it has begun before. */
export const clusterProgramEvidence: readonly string[] = ['applying', 'undoing', 'forgetting', 'trialValueSha256'];
