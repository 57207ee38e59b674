/**
 * What a window may see. Views are allow-lists, built field by field by the to-view mappers in
 * `electron/ipc`. No view has a field for a PIN, a share, a secret, a token's value or key material.
 */
import { z } from 'zod';
import { workflowNameSchema } from '../workflows/plans.ts';
import { clustersViewSchema, pushViewSchema } from './cluster-views.ts';
import { failureViewSchema } from './failure-view.ts';

export type {
  ClusterContextView,
  ClustersView,
  DriftObjectView,
  ObjectNameView,
  OutsidePartView,
  PushView,
} from './cluster-views.ts';
export type { FailureView } from './failure-view.ts';
export { failureViewSchema };

export const storeViewSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  modulePath: z.string(),
  rehearsal: z.boolean(),
  /** Added by the person, so it can be removed again. */
  removable: z.boolean(),
  state: z.enum(['looking', 'ready', 'failed']),
  problem: failureViewSchema.nullable(),
});

export const wrappingKeyViewSchema = z.strictObject({
  label: z.string(),
  id: z.string(),
  modulusBits: z.number(),
  /** 'P-256': values are kept under it by ECDH, which bank-vaults does not read; '' for RSA. */
  curve: z.string(),
  complete: z.boolean(),
  /** More than one pair has this label: bank-vaults would make yet another. */
  doubled: z.boolean(),
  publicKeySha256: z.string(),
  /** PGP word list, even and odd words in turn, 32 words for SHA-256. */
  publicKeyWords: z.array(z.string()),
});

export const deviceViewSchema = z.strictObject({
  readerName: z.string(),
  firmwareVersion: z.string(),
  /** Bytes; -1 for unknown. */
  freeMemory: z.number(),
  pinState: z.enum(['set', 'not-initialized', 'locked', 'transport']),
  /** -1 where it cannot be known now. */
  pinTriesLeft: z.number(),
  soPinState: z.enum(['set', 'not-initialized', 'locked']),
  soPinTriesLeft: z.number(),
  dkek: z.strictObject({
    kind: z.enum(['none', 'awaiting-shares', 'ready']),
    shares: z.number(),
    outstanding: z.number(),
    keyCheckValue: z.string(),
  }),
  options: z.array(z.string()),
});

export const objectViewSchema = z.strictObject({
  objectClass: z.enum(['private-key', 'public-key', 'secret-key', 'certificate', 'data', 'other']),
  label: z.string(),
  id: z.string(),
  kind: z.string(),
  bits: z.number(),
  curve: z.string(),
  size: z.number(),
  attributes: z.array(z.string()),
  subject: z.string(),
  notAfter: z.string(),
  sha256: z.string(),
  /** Names of the Vaults whose unsealing needs it, as far as this app knows. */
  usedBy: z.array(z.string()),
  /** A value in bank-vaults' form: 'share', 'root', 'trial'; '' for anything else. */
  valueKind: z.enum(['share', 'recovery', 'root', 'trial', '']),
  /** Another object has the same class and label. */
  doubled: z.boolean(),
});

export const usbDeviceViewSchema = z.strictObject({
  /** '20a0:4230' */
  id: z.string(),
  serial: z.string(),
  kind: z.enum(['nitrokey-hsm', 'other-nitrokey', 'smartcard-reader']),
  name: z.string(),
  /** Serial of the token that it is, '' for none. */
  tokenSerial: z.string(),
});

/** Why a device that is plugged in is not among the tokens, and what to do. */
export const presenceProblemViewSchema = z.strictObject({
  kind: z.enum([
    'pcscd-not-running',
    'pcscd-not-permitted',
    'pcsc-library-missing',
    'held-by-scdaemon',
    'reader-in-exclusive-use',
    'module-missing',
    'no-usb-permission',
    'not-an-hsm',
    'unresponsive',
  ]),
  title: z.string(),
  text: z.string(),
  next: z.string(),
  /** Commands to copy, one a line; '' for none. */
  commands: z.string(),
});

export const presenceViewSchema = z.strictObject({
  state: z.enum(['looking', 'ready', 'unavailable']),
  readers: z.array(z.strictObject({ name: z.string(), state: z.string() })),
  usb: z.array(usbDeviceViewSchema),
  problems: z.array(presenceProblemViewSchema),
});

export const tokenViewSchema = z.strictObject({
  storeId: z.string(),
  storeName: z.string(),
  rehearsal: z.boolean(),
  slotId: z.number(),
  slotDescription: z.string(),
  initialized: z.boolean(),
  label: z.string(),
  /** As the module says it: what bank-vaults is given as tokenLabel. */
  reportedLabel: z.string(),
  serial: z.string(),
  manufacturer: z.string(),
  model: z.string(),
  firmwareVersion: z.string(),
  userPinSet: z.boolean(),
  pinLengthMinimum: z.number(),
  pinLengthMaximum: z.number(),
  userPinState: z.enum(['ok', 'count-low', 'final-try', 'locked']),
  soPinState: z.enum(['ok', 'count-low', 'final-try', 'locked']),
  writeProtected: z.boolean(),
  loggedIn: z.boolean(),
  /** Public halves are visible without login; filled on tokens.inspect, empty before. */
  wrappingKeys: z.array(wrappingKeyViewSchema),
  dataObjects: z.array(z.strictObject({ label: z.string(), size: z.number() })),
  /** Everything on it that is visible now; filled on tokens.inspect. */
  objects: z.array(objectViewSchema),
  /** Bytes; -1 where the token does not say. */
  freeMemory: z.number(),
  totalMemory: z.number(),
  /** What only a SmartCard-HSM has; null for any other token. */
  device: deviceViewSchema.nullable(),
  inspected: z.boolean(),
});

export const trustViewSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('system') }),
  z.strictObject({ kind: z.literal('ca-file'), path: z.string() }),
  z.strictObject({ kind: z.literal('pinned'), sha256: z.string() }),
]);

export const vaultNodeViewSchema = z.strictObject({
  address: z.string(),
  state: z.enum(['looking', 'unreachable', 'uninitialized', 'sealed', 'unsealed']),
  product: z.string(),
  version: z.string(),
  sealType: z.string(),
  storageType: z.string(),
  threshold: z.number(),
  shares: z.number(),
  progress: z.number(),
  attemptNonce: z.string(),
  clusterName: z.string(),
  lastSeen: z.string(),
  problem: failureViewSchema.nullable(),
});

export const vaultViewSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  rehearsal: z.boolean(),
  trust: trustViewSchema,
  nodes: z.array(vaultNodeViewSchema),
  /** The worst of its nodes. */
  state: z.enum(['looking', 'unreachable', 'uninitialized', 'sealed', 'unsealed']),
  /** Where this app put its shares, as the last initialisation recorded it; '' when unknown. */
  tokenSerial: z.string(),
  tokenStoreId: z.string(),
  keyLabel: z.string(),
  /** The Secret in a cluster where this app put its shares; null for none. */
  secret: z.strictObject({ context: z.string(), namespace: z.string(), name: z.string() }).nullable(),
});

export const actorViewSchema = z.strictObject({
  role: z.enum(['administrator', 'custodian', 'witness']),
  name: z.string(),
});

export const evidenceViewSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export const stepViewSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  actor: actorViewSchema,
  explanation: z.string(),
  /** What a person does elsewhere before the main button, and lines for a configuration file ('' for none). */
  guide: z.strictObject({ steps: z.array(z.string()), example: z.string() }).nullable(),
  action: z.string(),
  pace: z.enum(['automatic', 'deliberate', 'prompt']),
  danger: z.strictObject({ typedName: z.string(), losses: z.array(z.string()) }).nullable(),
  status: z.enum(['waiting', 'current', 'working', 'done', 'not-needed', 'failed']),
  startedAt: z.string(),
  endedAt: z.string(),
  attempts: z.number(),
  evidence: evidenceViewSchema,
  problem: failureViewSchema.nullable(),
});

export const runViewSchema = z.strictObject({
  id: z.string(),
  workflow: workflowNameSchema,
  title: z.string(),
  subject: z.string(),
  rehearsal: z.boolean(),
  status: z.enum(['open', 'completed', 'abandoned']),
  /** A step is being carried out or a prompt is open in this process now. */
  busy: z.boolean(),
  /** What the run waits for, in words; '' when it works or has ended. */
  waitsFor: z.string(),
  startedBy: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  steps: z.array(stepViewSchema),
  deviations: z.array(z.strictObject({ step: z.string(), text: z.string(), at: z.string() })),
  /** SHA-256 of the journal's last record, hex. */
  journalHead: z.string(),
  /** The journal could not be read whole. */
  problem: failureViewSchema.nullable(),
});

export const rehearsalViewSchema = z.strictObject({
  state: z.enum(['none', 'starting', 'ready', 'failed', 'discarding']),
  /** What is going on, with how far: 'Building Vault from source' 0.4; fraction -1 when it cannot be known. */
  progressText: z.string(),
  progressFraction: z.number(),
  problem: failureViewSchema.nullable(),
  storeId: z.string(),
  vaultId: z.string(),
});

export const settingsViewSchema = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']),
  /** Minutes without input before the app locks itself. */
  lockAfterMinutes: z.number().int().min(1).max(240),
  /** Who acts at this desk: written to transcripts. */
  operatorName: z.string().max(80),
});

export const noticeViewSchema = z.strictObject({
  id: z.string(),
  tone: z.enum(['info', 'warning', 'danger']),
  title: z.string(),
  text: z.string(),
});

export const appViewSchema = z.strictObject({
  version: z.string(),
  /** Absolute path; '' while locked. */
  dataDirectory: z.string(),
  locked: z.boolean(),
  stores: z.array(storeViewSchema),
  tokens: z.array(tokenViewSchema),
  presence: presenceViewSchema,
  vaults: z.array(vaultViewSchema),
  clusters: clustersViewSchema,
  /** What this app pushed to clusters and still follows, newest first. */
  pushes: z.array(pushViewSchema),
  runs: z.array(runViewSchema),
  rehearsal: rehearsalViewSchema,
  settings: settingsViewSchema,
  notices: z.array(noticeViewSchema),
  /** No tray could be had on this desktop: the window says so and stays the way in. */
  trayAvailable: z.boolean(),
});

export type StoreView = z.infer<typeof storeViewSchema>;
export type WrappingKeyView = z.infer<typeof wrappingKeyViewSchema>;
export type TokenView = z.infer<typeof tokenViewSchema>;
export type DeviceView = z.infer<typeof deviceViewSchema>;
export type ObjectView = z.infer<typeof objectViewSchema>;
export type UsbDeviceView = z.infer<typeof usbDeviceViewSchema>;
export type PresenceView = z.infer<typeof presenceViewSchema>;
export type PresenceProblemView = z.infer<typeof presenceProblemViewSchema>;
export type VaultNodeView = z.infer<typeof vaultNodeViewSchema>;
export type VaultView = z.infer<typeof vaultViewSchema>;
export type StepView = z.infer<typeof stepViewSchema>;
export type RunView = z.infer<typeof runViewSchema>;
export type RehearsalView = z.infer<typeof rehearsalViewSchema>;
export type SettingsView = z.infer<typeof settingsViewSchema>;
export type NoticeView = z.infer<typeof noticeViewSchema>;
export type AppView = z.infer<typeof appViewSchema>;
