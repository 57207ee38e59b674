/**
 * What workflows need of a SmartCard-HSM (Nitrokey HSM) beyond PKCS#11, of everything that lies on a token, and
 * of the presence of readers and USB devices. `electron/tokens` implements them over the token host and the
 * presence host. Every method answers a Result and has a deadline of its own.
 */
import type { Result, TokenFailureCode } from './failures.ts';
import type { SealedSecretValue, TokenReference } from './ports.ts';

type TokenResult<Value> = Promise<Result<Value, TokenFailureCode>>;
type Nothing = Record<string, never>;

export interface DkekState {
  /** none: no key can ever be backed up; awaiting-shares: no key can be made before all are in; ready. */
  readonly kind: 'none' | 'awaiting-shares' | 'ready';
  readonly shares: number;
  readonly outstanding: number;
  /** First 8 bytes of the DKEK's SHA-256, hex; '' until it is complete. */
  readonly keyCheckValue: string;
}

export interface DeviceDescription {
  readonly serial: string;
  readonly readerName: string;
  readonly label: string;
  readonly firmwareVersion: string;
  /** Bytes; -1 where the firmware does not say. */
  readonly freeMemory: number;
  readonly pinState: 'set' | 'not-initialized' | 'locked' | 'transport';
  /** -1 where it cannot be known, such as while a session is logged in. */
  readonly pinTriesLeft: number;
  readonly soPinState: 'set' | 'not-initialized' | 'locked';
  readonly soPinTriesLeft: number;
  readonly dkek: DkekState;
  readonly options: readonly string[];
}

export type DkekChoice =
  { readonly kind: 'none' } | { readonly kind: 'random' } | { readonly kind: 'shares'; readonly count: number };

export type DkekOpening =
  | { readonly kind: 'password'; readonly password: SealedSecretValue }
  | { readonly kind: 'pieces'; readonly pieces: readonly SealedSecretValue[] };

export interface Attestation {
  readonly device: {
    readonly state: 'verified' | 'unknown-root' | 'absent' | 'invalid';
    readonly chain: readonly string[];
    readonly problem: string;
  };
  readonly keys: readonly {
    readonly label: string;
    readonly id: string;
    readonly state: 'verified' | 'absent' | 'invalid';
    readonly problem: string;
  }[];
}

/** A SmartCard-HSM, by its token's reference. Acts that change the card under PKCS#11 end its logins. */
export interface DevicePort {
  /** The SmartCard-HSMs behind a store's module; an empty list for a store that has none. */
  listDevices(storeId: string): TokenResult<readonly DeviceDescription[]>;
  /** See `device.initialize` in native/smartcard-hsm/protocol.ts. `currentSoPin` null: the factory's is still set. */
  initializeDevice(request: {
    readonly token: TokenReference;
    readonly label: string;
    readonly currentSoPin: SealedSecretValue | null;
    readonly newSoPin: SealedSecretValue | null;
    readonly pin: SealedSecretValue;
    readonly retryLimit: number;
    readonly dkek: DkekChoice;
    readonly allowPinResetWithSoPin: boolean;
  }): TokenResult<DeviceDescription>;
  changeDevicePin(request: {
    readonly token: TokenReference;
    readonly role: 'user' | 'so';
    readonly current: SealedSecretValue;
    readonly replacement: SealedSecretValue;
    readonly consentToLastTry: boolean;
  }): TokenResult<DeviceDescription>;
  unblockDevicePin(
    token: TokenReference,
    soPin: SealedSecretValue,
    newPin: SealedSecretValue | null,
  ): TokenResult<DeviceDescription>;
  createDkekShare(
    storeId: string,
    protection:
      | { readonly kind: 'password'; readonly password: SealedSecretValue }
      | { readonly kind: 'split'; readonly threshold: number; readonly total: number },
  ): TokenResult<{ readonly file: Uint8Array; readonly fileSha256: string; readonly splitId: string }>;
  dkekPiece(
    storeId: string,
    splitId: string,
    index: number,
    recipient: string,
    purpose: string,
  ): TokenResult<SealedSecretValue>;
  forgetSplit(storeId: string, splitId: string): TokenResult<Nothing>;
  importDkekShare(token: TokenReference, file: Uint8Array, opening: DkekOpening): TokenResult<DkekState>;
  /** Opens a share to learn what all of a collection give: it stays in the token host until then. Needs no card. */
  openDkekShare(
    storeId: string,
    collection: string,
    index: number,
    file: Uint8Array,
    opening: DkekOpening,
  ): TokenResult<Nothing>;
  /** Token_SessionLost where the token host was started anew since one of them was opened. */
  dkekKeyCheckValue(storeId: string, collection: string, count: number): TokenResult<string>;
  wrapKey(
    token: TokenReference,
    keyId: string,
  ): TokenResult<{ readonly file: Uint8Array; readonly label: string; readonly keyCheckValue: string }>;
  unwrapKey(token: TokenReference, file: Uint8Array): TokenResult<{ readonly label: string; readonly keyId: string }>;
  /** The key's certificate request as it lies on the card, and what it attests; empty where a certificate took its place. */
  keyRequest(
    token: TokenReference,
    keyId: string,
  ): TokenResult<{
    readonly request: Uint8Array;
    readonly state: Attestation['keys'][number]['state'];
    readonly problem: string;
  }>;
  /** Puts a request back where storing a certificate was cut off. Needs login; ends every login. */
  restoreKeyRequest(token: TokenReference, keyId: string, request: Uint8Array): TokenResult<Nothing>;
  /** Numbers of keys without a description, which no PKCS#11 program shows. */
  namelessKeys(token: TokenReference): TokenResult<readonly number[]>;
  /** Needs login. Refuses a key that has a description. */
  deleteNamelessKey(token: TokenReference, number: number): TokenResult<Nothing>;
  attest(token: TokenReference): TokenResult<Attestation>;
}

export interface TokenObject {
  readonly objectClass: 'private-key' | 'public-key' | 'secret-key' | 'certificate' | 'data' | 'other';
  readonly label: string;
  readonly id: string;
  readonly kind: string;
  readonly bits: number;
  readonly curve: string;
  readonly size: number;
  readonly attributes: readonly string[];
  readonly subject: string;
  readonly notAfter: string;
  readonly sha256: string;
}

/** What a key wraps values with, seen to work. */
export interface WrappingChoice {
  readonly mechanism: 'rsa-oaep-sha256' | 'rsa-oaep-sha1' | 'ecdh';
  readonly isDowngrade: boolean;
  readonly reason: string;
}

export interface WrappingAbility {
  readonly oaepSha1: 'works' | 'offered' | 'fails' | 'absent';
  readonly oaepSha256: 'works' | 'offered' | 'fails' | 'absent';
  readonly ecdh: 'works' | 'offered' | 'fails' | 'absent';
  readonly pkcs1: 'offered' | 'unsafe' | 'absent';
  /** What was tried and worked, for values of this program's own; null where nothing was. */
  readonly choice: WrappingChoice | null;
}

/** Everything that lies on a token, whoever made it. See native/pkcs11/object-protocol.ts for what each answers. */
export interface ObjectPort {
  listAllObjects(token: TokenReference): TokenResult<{
    readonly objects: readonly TokenObject[];
    readonly freePublicMemory: number;
    readonly totalPublicMemory: number;
  }>;
  exportPublicKey(
    token: TokenReference,
    key: { readonly id: string; readonly label: string },
  ): TokenResult<{ readonly publicKeySpki: string; readonly publicKeySha256: string; readonly kind: string }>;
  storeCertificate(
    token: TokenReference,
    certificate: { readonly der: Uint8Array; readonly label: string; readonly id: string },
  ): TokenResult<{ readonly label: string; readonly sha256: string; readonly subject: string }>;
  /** DER of one certificate, told by its hash. */
  readCertificate(
    token: TokenReference,
    certificate: { readonly label: string; readonly id: string; readonly sha256: string },
  ): TokenResult<Uint8Array>;
  deleteObject(
    token: TokenReference,
    object: {
      readonly objectClass: 'key-pair' | 'secret-key' | 'certificate' | 'data';
      readonly label: string;
      readonly id: string;
      readonly sha256: string;
    },
  ): TokenResult<{ readonly deleted: number }>;
  testKey(
    token: TokenReference,
    key: { readonly id: string; readonly label: string },
  ): TokenResult<{
    readonly tried: readonly string[];
    readonly passed: boolean;
    readonly problem: string;
    readonly wrapping: WrappingChoice | null;
  }>;
  wrappingAbility(token: TokenReference, keyLabel: string): TokenResult<WrappingAbility>;
  changePin(request: {
    readonly token: TokenReference;
    readonly role: 'user' | 'so';
    readonly current: SealedSecretValue;
    readonly replacement: SealedSecretValue;
    readonly consentToLastTry: boolean;
  }): TokenResult<{ readonly serial: string }>;
  resetPin(
    token: TokenReference,
    soPin: SealedSecretValue,
    newPin: SealedSecretValue,
  ): TokenResult<{ readonly serial: string }>;
  rewrapValue(
    token: TokenReference,
    value: { readonly label: string; readonly sha256: string },
    fromKeyLabel: string,
    toKeyLabel: string,
  ): TokenResult<{ readonly ciphertext: Uint8Array; readonly ciphertextSha256: string }>;
  checkValue(
    token: TokenReference,
    value: { readonly label: string; readonly sha256: string },
    keyLabel: string,
  ): TokenResult<{
    readonly decrypts: boolean;
    readonly plaintextLength: number;
    /** Equal for equal plaintexts, as long as the token host lives; '' where it does not decrypt. Kept nowhere. */
    readonly mark: string;
  }>;
  /** The ciphertext of one data object, of doubled ones that with this hash. */
  readValue(token: TokenReference, value: { readonly label: string; readonly sha256: string }): TokenResult<Uint8Array>;
}

export interface UsbDeviceDescription {
  readonly vendorId: number;
  readonly productId: number;
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
  readonly kind: 'nitrokey-hsm' | 'other-nitrokey' | 'smartcard-reader';
  readonly name: string;
}

export interface ReaderDescription {
  readonly name: string;
  readonly state: 'empty' | 'card' | 'card-in-exclusive-use' | 'unresponsive';
}

export interface PresenceDescription {
  readonly pcsc: 'running' | 'not-running' | 'not-permitted' | 'library-missing' | 'failed';
  readonly readers: readonly ReaderDescription[];
  readonly usb: readonly UsbDeviceDescription[];
  readonly usbState: 'listed' | 'no-permission' | 'unavailable';
  readonly holder: string;
}

/** Follows card readers and the USB bus through the presence host. */
export interface PresencePort {
  /** As last seen; undefined until the first look. */
  readonly current: PresenceDescription | undefined;
  /** Looks now. */
  refresh(): Promise<Result<PresenceDescription, TokenFailureCode>>;
  /** Starts following: listeners are called within half a second of a change. Costs nothing while nothing changes. */
  start(): void;
  stop(): Promise<void>;
  subscribe(listener: () => void): () => void;
}
