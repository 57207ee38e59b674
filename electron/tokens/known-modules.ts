/**
 * The PKCS#11 modules that this machine is known for: where SoftHSM's and OpenSC's libraries usually lie, and
 * whether it is worth the wait to ask OpenSC's.
 */
import { access } from 'node:fs/promises';
import type { TokenStore } from '../workflows/ports.ts';

export const softHsmStoreId = 'softhsm';
export const openScStoreId = 'opensc';

/** Debian multiarch and before, Fedora and openSUSE, Arch, the vendor's package and Homebrew on macOS, Windows. */
const openScPlaces: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: [
    '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so',
    '/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so',
    '/usr/lib64/opensc-pkcs11.so',
    '/usr/lib64/pkcs11/opensc-pkcs11.so',
    '/usr/lib/opensc-pkcs11.so',
    '/usr/lib/pkcs11/opensc-pkcs11.so',
    '/usr/local/lib/opensc-pkcs11.so',
  ],
  darwin: [
    '/Library/OpenSC/lib/opensc-pkcs11.so',
    '/opt/homebrew/lib/opensc-pkcs11.so',
    '/usr/local/lib/opensc-pkcs11.so',
  ],
  win32: [
    'C:\\Windows\\System32\\opensc-pkcs11.dll',
    'C:\\Program Files\\OpenSC Project\\OpenSC\\pkcs11\\opensc-pkcs11.dll',
  ],
};

/** Where pcsc-lite's daemon listens; the socket is there while it runs, or while systemd starts it on demand. */
const pcscSockets = ['/run/pcscd/pcscd.comm', '/var/run/pcscd/pcscd.comm'];

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function firstThatExists(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path;
  return undefined;
}

/** The path of OpenSC's library, or undefined where it is not installed. OPENSC_MODULE names another. */
export async function findOpenScModule(environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const named = environment['OPENSC_MODULE'];
  return firstThatExists(named === undefined || named === '' ? (openScPlaces[process.platform] ?? []) : [named]);
}

/** The stores of the modules that were found: SoftHSM's first, since it answers at once. */
export function knownStores(found: {
  readonly softHsm: string | undefined;
  readonly openSc: string | undefined;
}): readonly TokenStore[] {
  return [
    ...(found.softHsm === undefined
      ? []
      : [{ id: softHsmStoreId, name: 'SoftHSM', modulePath: found.softHsm, rehearsal: false }]),
    ...(found.openSc === undefined
      ? []
      : [
          {
            id: openScStoreId,
            name: 'OpenSC (Nitrokey HSM and smart cards)',
            modulePath: found.openSc,
            rehearsal: false,
          },
        ]),
  ];
}

/**
 * Whether a store can hold a token now. OpenSC reaches cards through pcscd alone on Linux: where that does not
 * listen there is no token, and neither its process nor the seconds of its C_Initialize are spent on finding out.
 */
export async function mayHoldTokens(store: TokenStore): Promise<boolean> {
  if (store.id !== openScStoreId || process.platform !== 'linux') return true;
  return (await firstThatExists(pcscSockets)) !== undefined;
}
