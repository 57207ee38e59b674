import { fromBase64, toBase64 } from '../sealing/sealed.ts';
import type { ObjectPort } from '../workflows/device-ports.ts';
import { success } from '../workflows/failures.ts';
import type { AskTokenHost } from './ask.ts';

/** Everything that lies on a token, asked of its token host; see native/pkcs11/object-protocol.ts. */
export function createObjectPort(ask: AskTokenHost): ObjectPort {
  return {
    listAllObjects: ({ storeId, serial }) => ask(storeId, 'objects.list', { serial }),
    exportPublicKey: ({ storeId, serial }, { id, label }) =>
      ask(storeId, 'objects.export-public-key', { serial, id, label }),
    storeCertificate: ({ storeId, serial }, { der, label, id }) =>
      ask(storeId, 'objects.store-certificate', { serial, certificate: toBase64(der), label, id }),
    readCertificate: async ({ storeId, serial }, { label, id, sha256 }) => {
      const read = await ask(storeId, 'objects.read-certificate', { serial, label, id, sha256 });
      return read.ok ? success(fromBase64(read.value.certificate)) : read;
    },
    deleteObject: ({ storeId, serial }, { objectClass, label, id, sha256 }) =>
      ask(storeId, 'objects.delete', { serial, objectClass, label, id, sha256 }),
    testKey: ({ storeId, serial }, { id, label }) => ask(storeId, 'keys.test', { serial, id, label }),
    wrappingAbility: ({ storeId, serial }, keyLabel) => ask(storeId, 'token.wrapping-ability', { serial, keyLabel }),
    changePin: ({ token: { storeId, serial }, role, current, replacement, consentToLastTry }) =>
      ask(storeId, 'token.change-pin', { serial, role, current, replacement, consentToLastTry }),
    resetPin: ({ storeId, serial }, soPin, newPin) => ask(storeId, 'token.reset-pin', { serial, soPin, newPin }),
    rewrapValue: async ({ storeId, serial }, { label, sha256 }, fromKeyLabel, toKeyLabel) => {
      const rewrapped = await ask(storeId, 'values.rewrap', { serial, label, sha256, fromKeyLabel, toKeyLabel });
      if (!rewrapped.ok) return rewrapped;
      const { ciphertext, ciphertextSha256 } = rewrapped.value;
      return success({ ciphertext: fromBase64(ciphertext), ciphertextSha256 });
    },
    checkValue: ({ storeId, serial }, { label, sha256 }, keyLabel) =>
      ask(storeId, 'values.check', { serial, label, sha256, keyLabel }),
    readValue: async ({ storeId, serial }, { label, sha256 }) => {
      const read = await ask(storeId, 'values.read', { serial, label, sha256 });
      return read.ok ? success(fromBase64(read.value.value)) : read;
    },
  };
}
