/**
 * The names of the contract, without its schemas: what a preload script may know. The compiler holds
 * these lists complete: a channel that is missing here, or here alone, does not compile.
 */
import type { ChannelName, WindowEventName } from './channels.ts';
import type { PromptChannelName } from './prompt.ts';

const mainChannels: Record<ChannelName, true> = {
  'view.get': true,
  'tokens.refresh': true,
  'tokens.inspect': true,
  'tokens.export-key': true,
  'tokens.choose-certificate': true,
  'dkek.choose-share-file': true,
  'presence.refresh': true,
  'presence.copy-commands': true,
  'stores.choose-module': true,
  'stores.add': true,
  'stores.remove': true,
  'vaults.choose-ca-file': true,
  'vaults.fetch-certificate': true,
  'vaults.add': true,
  'vaults.remove': true,
  'vaults.refresh': true,
  'clusters.refresh': true,
  'clusters.probe': true,
  'clusters.allow': true,
  'clusters.rights': true,
  'clusters.list-names': true,
  'clusters.pin': true,
  'recipes.defaults': true,
  'recipes.render': true,
  'recipes.preview': true,
  'recipes.save': true,
  'recipes.save-rights': true,
  'pushes.start': true,
  'pushes.undo': true,
  'pushes.check-drift': true,
  'pushes.forget': true,
  'transit.policy': true,
  'transit.choose-authority': true,
  'transit.start': true,
  'etcd.choose-file': true,
  'etcd.list-kinds': true,
  'kms.status': true,
  'pgp.choose-key': true,
  'pgp.choose-message': true,
  'runs.start': true,
  'runs.continue': true,
  'runs.abandon': true,
  'runs.note-deviation': true,
  'transcripts.save': true,
  'journal.verify': true,
  'rehearsal.start': true,
  'rehearsal.restart-vault': true,
  'rehearsal.discard': true,
  'app.lock': true,
  'app.unlock': true,
  'app.copy-details': true,
  'settings.change': true,
};

const mainEvents: Record<WindowEventName, true> = { 'view-changed': true, 'go-to': true };

const promptWindowChannels: Record<PromptChannelName, true> = {
  'prompt.get': true,
  'prompt.submit': true,
  'prompt.reveal': true,
  'prompt.confirm': true,
  'prompt.cancel': true,
};

export const channelNames: ReadonlySet<string> = new Set(Object.keys(mainChannels));
export const windowEventNames: ReadonlySet<string> = new Set(Object.keys(mainEvents));
export const promptChannelNames: ReadonlySet<string> = new Set(Object.keys(promptWindowChannels));

/** What stands before a channel's name on the wire, so that the two windows' channels never meet. */
export const wirePrefix = { main: 'custodian:', prompt: 'custodian-prompt:' } as const;

/** The names under which the preload scripts expose the clients; see `channels.ts` and `prompt.ts`. */
export const exposedNames = { main: 'custodian', prompt: 'custodianPrompt' } as const;
