import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestVault } from '../../servers/vault-server.ts';
import type { AppHome } from './launch-app.ts';

/** Writes settings with which the app follows this Vault from its start, as one that was added by hand. */
export async function followVault(home: AppHome, vault: TestVault, id: string, name: string): Promise<void> {
  const settings = {
    version: 1,
    preferences: { theme: 'light', lockAfterMinutes: 240, operatorName: '' },
    vaults: [
      {
        id,
        name,
        addresses: vault.addresses,
        trust: { kind: 'ca-file', path: vault.caPath },
        rehearsal: false,
        tokenStoreId: '',
        tokenSerial: '',
        keyLabel: '',
      },
    ],
    modules: [],
  };
  await mkdir(home.dataDirectory, { recursive: true, mode: 0o700 });
  await writeFile(join(home.dataDirectory, 'settings.json'), JSON.stringify(settings));
}
