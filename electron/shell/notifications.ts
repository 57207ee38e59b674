import { Notification } from 'electron';
import type { KnownVault } from '../core/core.ts';

/** Kept while they may still be clicked: Electron forgets a notification that nothing holds. */
const shown = new Map<string, Notification>();

/** Says that a Vault was sealed. A click leads to the PIN and the unseal. */
export function notifySealed(vault: KnownVault, onClick: () => void): void {
  if (!Notification.isSupported()) return;
  shown.get(vault.id)?.close();
  const notification = new Notification({
    title: `${vault.name} is sealed${vault.rehearsal ? ' (rehearsal)' : ''}`,
    body: 'Nothing can be read from it until it is unsealed. Click to unseal it.',
    urgency: 'critical',
  });
  notification.on('click', onClick);
  notification.on('close', () => {
    if (shown.get(vault.id) === notification) shown.delete(vault.id);
  });
  shown.set(vault.id, notification);
  notification.show();
}
