import { fromBase64, toBase64 } from '../sealing/sealed.ts';
import type { DevicePort, DkekOpening } from '../workflows/device-ports.ts';
import { success } from '../workflows/failures.ts';
import type { AskTokenHost } from './ask.ts';

const toRequest = (opening: DkekOpening) =>
  opening.kind === 'password' ? opening : { kind: opening.kind, pieces: [...opening.pieces] };

/** A SmartCard-HSM through its store's token host; the requests are explained in native/smartcard-hsm/protocol.ts. */
export function createDevicePort(ask: AskTokenHost): DevicePort {
  return {
    listDevices: async (storeId) => {
      const listed = await ask(storeId, 'device.list', {});
      return listed.ok ? success(listed.value.devices) : listed;
    },
    initializeDevice: ({ token: { storeId, serial }, ...choices }) =>
      ask(storeId, 'device.initialize', { serial, ...choices }),
    changeDevicePin: ({ token: { storeId, serial }, ...change }) =>
      ask(storeId, 'device.change-pin', { serial, ...change }),
    unblockDevicePin: ({ storeId, serial }, soPin, newPin) =>
      ask(storeId, 'device.unblock-pin', { serial, soPin, newPin }),
    createDkekShare: async (storeId, protection) => {
      const created = await ask(storeId, 'dkek.create-share', { protection });
      return created.ok ? success({ ...created.value, file: fromBase64(created.value.file) }) : created;
    },
    dkekPiece: async (storeId, splitId, index, recipient, purpose) => {
      const piece = await ask(storeId, 'dkek.piece', { splitId, index, recipient, purpose });
      return piece.ok ? success(piece.value.sealed) : piece;
    },
    forgetSplit: (storeId, splitId) => ask(storeId, 'dkek.forget-split', { splitId }),
    importDkekShare: ({ storeId, serial }, file, opening) =>
      ask(storeId, 'dkek.import-share', {
        serial,
        file: toBase64(file),
        opening: toRequest(opening),
      }),
    openDkekShare: (storeId, collection, index, file, opening) =>
      ask(storeId, 'dkek.open-share', { collection, index, file: toBase64(file), opening: toRequest(opening) }),
    dkekKeyCheckValue: async (storeId, collection, count) => {
      const found = await ask(storeId, 'dkek.key-check-value', { collection, count });
      return found.ok ? success(found.value.keyCheckValue) : found;
    },
    wrapKey: async ({ storeId, serial }, keyId) => {
      const wrapped = await ask(storeId, 'device.wrap-key', { serial, keyId });
      return wrapped.ok ? success({ ...wrapped.value, file: fromBase64(wrapped.value.file) }) : wrapped;
    },
    unwrapKey: ({ storeId, serial }, file) => ask(storeId, 'device.unwrap-key', { serial, file: toBase64(file) }),
    keyRequest: async ({ storeId, serial }, keyId) => {
      const read = await ask(storeId, 'device.key-request', { serial, keyId });
      return read.ok ? success({ ...read.value, request: fromBase64(read.value.request) }) : read;
    },
    restoreKeyRequest: ({ storeId, serial }, keyId, request) =>
      ask(storeId, 'device.restore-key-request', { serial, keyId, request: toBase64(request) }),
    namelessKeys: async ({ storeId, serial }) => {
      const listed = await ask(storeId, 'device.nameless-keys', { serial });
      return listed.ok ? success(listed.value.numbers) : listed;
    },
    deleteNamelessKey: ({ storeId, serial }, number) => ask(storeId, 'device.delete-nameless-key', { serial, number }),
    attest: ({ storeId, serial }) => ask(storeId, 'device.attest', { serial }),
  };
}
