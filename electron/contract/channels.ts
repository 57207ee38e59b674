/**
 * The promise between the main process and the main window, written by hand once. Handlers in
 * `electron/ipc`, the client in `preload.ts` and `renderer/bridge`, and the test double derive from it.
 * Every call answers a Result; every request and reply is parsed by its schema in main.
 */
import { z } from 'zod';
import { planSchema } from '../workflows/plans.ts';
import { vaultTrustSchema } from '../workflows/vault-connection.ts';
import { clusterChannels } from './cluster-channels.ts';
import { kmsChannels } from './kms-channels.ts';
import { vaultSetUpChannels } from './vault-setup-channels.ts';
import { appViewSchema, failureViewSchema, settingsViewSchema } from './views.ts';

const nothing = z.strictObject({});
const id = z.string().min(1).max(80);

export const channels = {
  /** Everything the window shows. Asked for once; then the window listens to `view-changed`. */
  'view.get': { request: nothing, reply: appViewSchema },

  'tokens.refresh': { request: nothing, reply: nothing },
  /** Reads the public keys and data objects of one token without a login. */
  'tokens.inspect': { request: z.strictObject({ storeId: id, serial: z.string().min(1).max(32) }), reply: nothing },

  /** Writes a public key where the person says (system dialog). path is '' when cancelled. */
  'tokens.export-key': {
    request: z.strictObject({
      storeId: id,
      serial: z.string().min(1).max(32),
      id: z.string().regex(/^[0-9a-f]{0,512}$/u),
      label: z.string().max(255),
      format: z.enum(['pem', 'ssh', 'jwk']),
    }),
    reply: z.strictObject({ path: z.string() }),
  },
  /** Opens the file dialog for an X.509 certificate (PEM or DER), which is parsed; `fileBase64` is its DER. */
  'tokens.choose-certificate': {
    request: nothing,
    reply: z.strictObject({
      chosen: z.boolean(),
      fileName: z.string(),
      fileBase64: z.string(),
      subject: z.string(),
      notAfter: z.string(),
      sha256: z.string(),
    }),
  },
  /** Opens the file dialog for a DKEK share file (64 bytes of ciphertext). */
  'dkek.choose-share-file': {
    request: nothing,
    reply: z.strictObject({ chosen: z.boolean(), fileName: z.string(), fileBase64: z.string() }),
  },
  /** Looks at readers and the USB bus now. */
  'presence.refresh': { request: nothing, reply: nothing },
  /** Puts the commands of one of the notices that are shown now on the clipboard: main's own text, named by its title. */
  'presence.copy-commands': { request: z.strictObject({ title: z.string().min(1).max(500) }), reply: nothing },

  /** Opens the system's file dialog; chosen is '' when it was cancelled. */
  'stores.choose-module': { request: nothing, reply: z.strictObject({ path: z.string() }) },
  /** Tries the module in a host of its own and keeps it only if it is a PKCS#11 library. */
  'stores.add': {
    request: z.strictObject({ name: z.string().trim().min(1).max(80), modulePath: z.string().min(1).max(4096) }),
    reply: z.strictObject({ storeId: z.string() }),
  },
  'stores.remove': { request: z.strictObject({ storeId: id }), reply: nothing },

  'vaults.choose-ca-file': { request: nothing, reply: z.strictObject({ path: z.string() }) },
  /** The certificate a server shows, for a person to compare before it is pinned. */
  'vaults.fetch-certificate': {
    request: z.strictObject({ address: z.string().min(1).max(2048) }),
    reply: z.strictObject({
      sha256: z.string(),
      subject: z.string(),
      issuer: z.string(),
      validFrom: z.string(),
      validTo: z.string(),
    }),
  },
  /** Reaches every node first; keeps the server only if at least one answers. */
  'vaults.add': {
    request: z.strictObject({
      name: z.string().trim().min(1).max(80),
      addresses: z.array(z.string().min(1).max(2048)).min(1).max(32),
      trust: vaultTrustSchema,
    }),
    reply: z.strictObject({ vaultId: z.string() }),
  },
  'vaults.remove': { request: z.strictObject({ vaultId: id }), reply: nothing },
  'vaults.refresh': { request: z.strictObject({ vaultId: id }), reply: nothing },

  ...clusterChannels,
  ...vaultSetUpChannels,
  ...kmsChannels,

  /** Opens the file dialog and reads a public key; refused with what is wrong with it. */
  'pgp.choose-key': {
    request: nothing,
    reply: z.strictObject({
      chosen: z.boolean(),
      fingerprint: z.string(),
      userId: z.string(),
      algorithm: z.string(),
      expires: z.string(),
      publicKeyArmored: z.string(),
    }),
  },
  /** Opens the file dialog for a PGP-encrypted share (ciphertext). */
  'pgp.choose-message': {
    request: nothing,
    reply: z.strictObject({ chosen: z.boolean(), fileName: z.string(), messageBase64: z.string() }),
  },

  /** Writes the plan to a new run's journal. Nothing is done before `runs.continue`. */
  'runs.start': { request: z.strictObject({ plan: planSchema }), reply: z.strictObject({ runId: z.string() }) },
  /**
   * Carries out the current step and the automatic ones after it; answers when it has begun.
   * `typedName` is needed where the step is dangerous.
   */
  'runs.continue': { request: z.strictObject({ runId: id, typedName: z.string().max(255) }), reply: nothing },
  'runs.abandon': { request: z.strictObject({ runId: id, typedName: z.string().max(255) }), reply: nothing },
  /** A deviation from the script, in the person's words, for the transcript. */
  'runs.note-deviation': {
    request: z.strictObject({ runId: id, step: z.string().max(80), text: z.string().trim().min(1).max(2000) }),
    reply: nothing,
  },

  /** Saves a run's transcript where the person says (system dialog). path is '' when cancelled. */
  'transcripts.save': {
    request: z.strictObject({ runId: id, format: z.enum(['html', 'pdf', 'jsonl']) }),
    reply: z.strictObject({ path: z.string() }),
  },
  /** Checks a run's own journal, or a file chosen in the system dialog when runId is ''. */
  'journal.verify': {
    request: z.strictObject({ runId: z.string().max(80) }),
    reply: z.strictObject({
      intact: z.boolean(),
      records: z.number(),
      complete: z.boolean(),
      head: z.string(),
      headWords: z.array(z.string()),
      problems: z.array(z.string()),
    }),
  },

  'rehearsal.start': { request: nothing, reply: nothing },
  /** Ends the rehearsal's Vault and starts it again: a Vault comes up sealed after every restart. */
  'rehearsal.restart-vault': { request: nothing, reply: nothing },
  /** Throws the rehearsal's tokens, Vault, runs and transcripts away. */
  'rehearsal.discard': { request: nothing, reply: nothing },

  'app.lock': { request: nothing, reply: nothing },
  'app.unlock': { request: nothing, reply: nothing },
  /** Puts a failure's code, message, next step and details on the clipboard. */
  'app.copy-details': { request: z.strictObject({ failure: failureViewSchema }), reply: nothing },
  'settings.change': { request: settingsViewSchema, reply: nothing },
} as const;

export type ChannelName = keyof typeof channels;
export type ChannelRequest<Name extends ChannelName> = z.infer<(typeof channels)[Name]['request']>;
export type ChannelReply<Name extends ChannelName> = z.infer<(typeof channels)[Name]['reply']>;

/** Main to window. `view` is the whole view; windows replace theirs. `go-to` asks the window to show a page ('/vaults/ID', '/runs/ID'). */
export const windowEvents = {
  'view-changed': appViewSchema,
  'go-to': z.strictObject({ path: z.string().max(200) }),
} as const;
export type WindowEventName = keyof typeof windowEvents;
export type WindowEvent<Name extends WindowEventName> = z.infer<(typeof windowEvents)[Name]>;

/** The one name under which the preload script exposes the client. */
export const bridgeName = 'custodian';
