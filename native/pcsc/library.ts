/** Loads the PC/SC binding where it is first needed: without pcsc-lite on the machine it cannot be loaded at all. */
import { createRequire } from 'node:module';
import type * as PcscMini from 'pcsc-mini';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';

export type PcscLibrary = typeof PcscMini;

const require = createRequire(import.meta.url);

let loaded: PcscLibrary | undefined;

/** The binding, or Device_PcscUnavailable where its library is missing or made for another machine. */
export function loadPcscLibrary(): TokenResult<PcscLibrary> {
  try {
    loaded ??= require('pcsc-mini') as PcscLibrary;
    return success(loaded);
  } catch (cause) {
    return failure(
      'Device_PcscUnavailable',
      'The library of the smart card service (pcsc-lite) is not installed on this computer.',
      'Install it (Debian: apt install pcscd; Fedora: dnf install pcsc-lite), then try again.',
      { reason: cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.name) : typeof cause },
    );
  }
}
