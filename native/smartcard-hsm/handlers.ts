/** The token host's answers to device.* and dkek.* requests; see protocol.ts. */
import { randomUUID, createHash } from 'node:crypto';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import type { SealedSecret } from '../../electron/sealing/sealed.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { handler, withSecret, type Handler, type HostParts } from '../handler.ts';
import type { Refused } from '../pcsc/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { attest, readKeyRequest, restoreKeyRequest } from './attestation.ts';
import type { CvCertificate } from './cv-certificate.ts';
import { withDevice, withEachDevice, type Device } from './device.ts';
import { createDkekShareFile, isDkekShareFile, openDkekShareFile } from './dkek/dkek-share-file.ts';
import { createOpenedShares } from './dkek/opened-shares.ts';
import {
  combinePieces,
  decodePiece,
  encodePiece,
  splitNewPassword,
  wipePiece,
  type PasswordPiece,
} from './dkek/password-split.ts';
import { importDkekShare, requireOutstandingShare } from './dkek-import.ts';
import { initializeDevice } from './initialize.ts';
import { deleteNamelessKey, listNamelessKeys } from './nameless-keys.ts';
import { changePin, changeSoPin, unblockPin } from './pins.ts';
import { deviceRequests, type DkekOpening } from './protocol.ts';
import { factorySoPin, withSoPinBytes } from './so-pin.ts';
import { readStatus } from './status.ts';
import { unwrapKey } from './unwrap-key.ts';
import { vendorRoots } from './vendor-root.ts';
import { wrapKey } from './wrap-key.ts';

export interface DeviceHandlerOptions {
  /** What devices are attested by; the vendor's own root where nothing is given. */
  readonly roots?: readonly CvCertificate[];
}

/** What modules that know a SmartCard-HSM call themselves (C_GetInfo, manufacturerID): OpenSC's, and the vendor's own. */
const manufacturers = ['OpenSC Project', 'CardContact'];

/** Splits whose pieces are kept until they are handed out or forgotten; the oldest goes first. */
const splitsKept = 32;

type SealedOrNot = SealedSecret | null;

function notLoggedIn(serial: string): Refused {
  return failure(
    'Token_NotLoggedIn',
    `Nobody is logged in to the device with serial ${serial}.`,
    'Log in with the PIN, then try again.',
    { serial },
  );
}

function unknownSplit(): Refused {
  return failure(
    'Token_SessionLost',
    'The pieces of this password are not held any more: the helper process was started anew since.',
    'Make the DKEK share again; the file that was made before cannot be opened and is worthless.',
  );
}

/** Everything that the token host can do with a SmartCard-HSM beyond PKCS#11. */
export function createDeviceHandlers(
  parts: HostParts,
  { roots = vendorRoots() }: DeviceHandlerOptions = {},
): Readonly<Record<keyof typeof deviceRequests, Handler>> {
  const { opener, sealers, withModule, stopModule, changedOnCard, isLoggedIn } = parts;
  const splits = new Map<string, readonly PasswordPiece[]>();
  const openedShares = createOpenedShares();
  /** Whether this module is one for SmartCard-HSMs; asked once, so that a list of devices ends no login afterwards. */
  let knowsDevices: boolean | undefined;

  function forgetSplit(splitId: string): void {
    for (const piece of splits.get(splitId) ?? []) wipePiece(piece);
    splits.delete(splitId);
  }

  function keepSplit(pieces: readonly PasswordPiece[]): string {
    const [oldest] = splits.keys();
    if (splits.size >= splitsKept && oldest !== undefined) forgetSplit(oldest);
    const splitId = randomUUID();
    splits.set(splitId, pieces);
    return splitId;
  }

  /** A sealed SO-PIN in digits, lent as its 8 bytes. */
  function withSoPin<Value>(
    sealed: SealedSecret,
    purpose: string,
    work: (soPin: Uint8Array) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    return withSecret(opener, sealed, purpose, (digits) => withSoPinBytes(digits, work));
  }

  function withSoPinOr<Value>(
    sealed: SealedOrNot,
    purpose: string,
    instead: Uint8Array | undefined,
    work: (soPin: Uint8Array | undefined) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    return sealed === null ? work(instead) : withSoPin(sealed, purpose, work);
  }

  function withSecretOr<Value>(
    sealed: SealedOrNot,
    purpose: string,
    work: (secret: Uint8Array | undefined) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    return sealed === null ? work(undefined) : withSecret(opener, sealed, purpose, work);
  }

  /** The module logs out and lets the card go first: what it knows of the card will not be true afterwards. */
  function withDeviceAlone<Value>(
    serial: string,
    work: (device: Device) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    stopModule();
    return withDevice(serial, work);
  }

  /** With the log-in that this host's module holds on the card: card and module have to agree on it. */
  async function withDeviceLoggedIn<Value>(
    serial: string,
    work: (device: Device) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    if (!isLoggedIn(serial)) return notLoggedIn(serial);
    return withDevice(serial, async (device) => {
      if (device.userLoggedIn) return work(device);
      return failure(
        'Token_SessionLost',
        'The device has forgotten the log-in: it was reset, unplugged or used by another program.',
        'Log in again and try again.',
        { serial },
      );
    });
  }

  /** Pieces as custodians typed them, put together to the password, all wiped. */
  async function withCombinedPassword<Value>(
    sealedPieces: readonly SealedSecret[],
    work: (password: Uint8Array) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    const pieces: PasswordPiece[] = [];
    try {
      for (const sealed of sealedPieces) {
        const piece = await withSecret(opener, sealed, secretPurpose.dkekPassword, (text) => decodePiece(text));
        if (!piece.ok) return piece;
        pieces.push(piece.value);
      }
      const password = await combinePieces(pieces);
      if (!password.ok) return password;
      try {
        return await work(password.value);
      } finally {
        password.value.fill(0);
      }
    } finally {
      for (const piece of pieces) wipePiece(piece);
    }
  }

  /** Opens a share file with what its custodians typed and lends the share, which is wiped afterwards. */
  function withOpenedShare<Value>(
    file: Buffer,
    opening: DkekOpening,
    work: (share: Uint8Array) => Promise<TokenResult<Value>>,
  ): Promise<TokenResult<Value>> {
    const open = async (password: Uint8Array): Promise<TokenResult<Value>> => {
      const share = await openDkekShareFile(file, password);
      if (!share.ok) return share;
      try {
        return await work(share.value);
      } finally {
        share.value.fill(0);
      }
    };
    return opening.kind === 'password'
      ? withSecret(opener, opening.password, secretPurpose.dkekPassword, open)
      : withCombinedPassword(opening.pieces, open);
  }

  async function createShareFile(password: Uint8Array): Promise<{ file: string; fileSha256: string }> {
    const { file, share } = await createDkekShareFile(password);
    share.fill(0);
    return {
      file: Buffer.from(file).toString('base64'),
      fileSha256: createHash('sha256').update(file).digest('hex'),
    };
  }

  return {
    'device.list': handler(deviceRequests['device.list'], async () => {
      if (knowsDevices === undefined) {
        const asked = withModule(({ manufacturer }) =>
          success(manufacturers.some((known) => manufacturer.startsWith(known))),
        );
        if (!asked.ok) return asked;
        knowsDevices = asked.value;
      }
      if (!knowsDevices) return success({ devices: [] });
      const devices = await withEachDevice(readStatus);
      return devices.ok ? success({ devices: [...devices.value] }) : devices;
    }),

    'device.initialize': handler(deviceRequests['device.initialize'], (request) => {
      const { serial, label, retryLimit, dkek, allowPinResetWithSoPin } = request;
      const { soPin, newSoPin: newSoPinOf, pin: pinOf } = secretPurpose;
      return withSoPinOr(request.currentSoPin, soPin(serial), factorySoPin(), (currentSoPin = factorySoPin()) =>
        withSoPinOr(request.newSoPin, newSoPinOf(serial), undefined, (newSoPin) =>
          withSecret(opener, request.pin, pinOf(serial), (pin) =>
            withDeviceAlone(serial, (device) =>
              initializeDevice(device, {
                label,
                currentSoPin,
                newSoPin,
                pin,
                retryLimit,
                dkek,
                allowPinResetWithSoPin,
              }),
            ),
          ),
        ),
      );
    }),

    'device.change-pin': handler(deviceRequests['device.change-pin'], (request) => {
      const { serial, role, current, replacement, consentToLastTry } = request;
      if (role === 'user') {
        return withSecret(opener, current, secretPurpose.pin(serial), (old) =>
          withSecret(opener, replacement, secretPurpose.newPin(serial), (next) =>
            withDeviceAlone(serial, (device) => changePin(device, old, next, consentToLastTry)),
          ),
        );
      }
      return withSoPin(current, secretPurpose.soPin(serial), (old) =>
        withSoPin(replacement, secretPurpose.newSoPin(serial), (next) =>
          withDeviceAlone(serial, (device) => changeSoPin(device, old, next, consentToLastTry)),
        ),
      );
    }),

    'device.unblock-pin': handler(deviceRequests['device.unblock-pin'], ({ serial, soPin, newPin }) =>
      withSoPin(soPin, secretPurpose.soPin(serial), (bytes) =>
        withSecretOr(newPin, secretPurpose.newPin(serial), (pin) =>
          withDeviceAlone(serial, (device) => unblockPin(device, bytes, pin)),
        ),
      ),
    ),

    'dkek.create-share': handler(deviceRequests['dkek.create-share'], async ({ protection }) => {
      if (protection.kind === 'password') {
        return withSecret(opener, protection.password, secretPurpose.dkekPassword, async (password) =>
          success({ ...(await createShareFile(password)), splitId: '' }),
        );
      }
      const { threshold, total } = protection;
      if (threshold > total) {
        return failure(
          'Token_BadRequest',
          'More pieces would be needed than there are.',
          'Ask for at most as many pieces as there are custodians.',
          { threshold, total },
        );
      }
      const { password, pieces } = await splitNewPassword(threshold, total);
      try {
        return success({ ...(await createShareFile(password)), splitId: keepSplit(pieces) });
      } finally {
        password.fill(0);
      }
    }),

    'dkek.piece': handler(deviceRequests['dkek.piece'], ({ splitId, index, recipient, purpose }) => {
      const piece = splits.get(splitId)?.[index];
      if (piece === undefined) return unknownSplit();
      const bytes = Uint8Array.from(encodePiece(piece));
      return sealers.seal({ bytes, wipe: () => bytes.fill(0) }, recipient, purpose);
    }),

    'dkek.forget-split': handler(deviceRequests['dkek.forget-split'], ({ splitId }) => {
      forgetSplit(splitId);
      return success({});
    }),

    'dkek.import-share': handler(deviceRequests['dkek.import-share'], async ({ serial, file, opening }) => {
      const bytes = Buffer.from(file, 'base64');
      // Asked before the seconds that opening takes; a file that is none is told by its opening, at once.
      if (isDkekShareFile(bytes)) {
        const awaited = await withDevice(serial, requireOutstandingShare);
        if (!awaited.ok) return awaited;
      }
      return withOpenedShare(bytes, opening, (share) => withDevice(serial, (device) => importDkekShare(device, share)));
    }),

    'dkek.open-share': handler(deviceRequests['dkek.open-share'], ({ collection, index, file, opening }) =>
      withOpenedShare(Buffer.from(file, 'base64'), opening, (share) => {
        openedShares.put(collection, index, share);
        return Promise.resolve(success({}));
      }),
    ),

    'dkek.key-check-value': handler(deviceRequests['dkek.key-check-value'], ({ collection, count }) =>
      openedShares.keyCheckValue(collection, count),
    ),

    'device.wrap-key': handler(deviceRequests['device.wrap-key'], async ({ serial, keyId }) => {
      const wrapped = await withDeviceLoggedIn(serial, (device) => wrapKey(device, keyId));
      return wrapped.ok ? success({ ...wrapped.value, file: wrapped.value.file.toString('base64') }) : wrapped;
    }),

    'device.unwrap-key': handler(deviceRequests['device.unwrap-key'], ({ serial, file }) => {
      return withDeviceLoggedIn(serial, (device) => {
        changedOnCard();
        return unwrapKey(device, Buffer.from(file, 'base64'));
      });
    }),

    'device.key-request': handler(deviceRequests['device.key-request'], async ({ serial, keyId }) => {
      const read = await withDevice(serial, (device) => readKeyRequest(device, keyId, roots));
      return read.ok ? success({ ...read.value, request: read.value.request.toString('base64') }) : read;
    }),

    'device.restore-key-request': handler(deviceRequests['device.restore-key-request'], ({ serial, keyId, request }) =>
      withDeviceLoggedIn(serial, (device) => {
        changedOnCard();
        return restoreKeyRequest(device, keyId, Buffer.from(request, 'base64'));
      }),
    ),

    'device.nameless-keys': handler(deviceRequests['device.nameless-keys'], async ({ serial }) => {
      const listed = await withDevice(serial, listNamelessKeys);
      return listed.ok ? success({ numbers: [...listed.value] }) : listed;
    }),

    'device.delete-nameless-key': handler(deviceRequests['device.delete-nameless-key'], ({ serial, number }) =>
      withDeviceLoggedIn(serial, (device) => deleteNamelessKey(device, number)),
    ),

    'device.attest': handler(deviceRequests['device.attest'], ({ serial }) =>
      withDevice(serial, (device) => attest(device, roots)),
    ),
  };
}
