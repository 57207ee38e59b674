/**
 * What workflows and the runner need from the outside, said as interfaces. Adapters implement them:
 * `electron/tokens` (token host), `electron/shares` (share host), `electron/vault`, `electron/custody`,
 * the prompt window (`electron/shell`) and the terminal (`electron/command-line`).
 * Every method answers a Result and has a deadline of its own; none throws for a foreseeable failure.
 */
import type {
  AppFailureCode,
  CustodyFailureCode,
  Failure,
  PgpFailureCode,
  Result,
  TokenFailureCode,
  VaultFailureCode,
} from './failures.ts';
import type { WrappingKeyKind } from './key-kinds.ts';

/** See `electron/sealing/sealed.ts`; workflows only pass it on. */
export interface SealedSecretValue {
  readonly ephemeralPublicKey: string;
  readonly nonce: string;
  readonly ciphertext: string;
}

// ---------------------------------------------------------------- tokens

/** One PKCS#11 module with its configuration: what one token host process is started for. */
export interface TokenStore {
  /** 'softhsm' (the machine's), 'rehearsal', or 'module-…' for a path the person added. */
  readonly id: string;
  readonly name: string;
  readonly modulePath: string;
  /** Path for SOFTHSM2_CONF; absent for the library's own default. */
  readonly softhsmConfiguration?: string;
  readonly rehearsal: boolean;
}

export interface TokenDescription {
  readonly storeId: string;
  readonly slotId: number;
  readonly slotDescription: string;
  readonly initialized: boolean;
  /** As it was given. */
  readonly label: string;
  /**
   * As the module says it, and as bank-vaults compares it: OpenSC before 0.26 appends “ (UserPIN)”, and shortens
   * what comes before to make room.
   */
  readonly reportedLabel: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmwareVersion: string;
  readonly userPinSet: boolean;
  readonly pinLengthMinimum: number;
  readonly pinLengthMaximum: number;
  readonly userPinState: 'ok' | 'count-low' | 'final-try' | 'locked';
  readonly soPinState: 'ok' | 'count-low' | 'final-try' | 'locked';
  readonly writeProtected: boolean;
  readonly loggedIn: boolean;
}

export interface WrappingKey {
  readonly id: string;
  /** DER SubjectPublicKeyInfo, base64. */
  readonly publicKeySpki: string;
  /** SHA-256 of that DER, hex. */
  readonly publicKeySha256: string;
  readonly modulusBits: number;
}

export interface KeyPairDescription {
  readonly label: string;
  readonly id: string;
  readonly keyType: string;
  readonly modulusBits: number;
  /** 'P-256'; '' or nothing for RSA. */
  readonly curve?: string;
  readonly hasPublic: boolean;
  readonly hasPrivate: boolean;
  readonly sensitive: boolean | null;
  readonly extractable: boolean | null;
  readonly publicKeySha256: string;
}

export interface DataObjectDescription {
  readonly label: string;
  readonly application: string;
  readonly size: number;
  readonly token: boolean;
  readonly private: boolean;
}

export interface TokenReference {
  readonly storeId: string;
  readonly serial: string;
}

type TokenResult<Value> = Promise<Result<Value, TokenFailureCode>>;

/** Tokens of every store, through one host process per store. A crashed or hung host is ended and started again at the next call. */
export interface TokenPort {
  /**
   * The tokens of every store, or of one: a store that takes its time (OpenSC needs two seconds to start) holds
   * up only who asks for all at once.
   */
  listTokens(
    onlyStoreId?: string,
  ): Promise<
    readonly { readonly store: TokenStore; readonly result: Result<readonly TokenDescription[], TokenFailureCode> }[]
  >;
  /** What a prompt seals a PIN to. */
  sealingPublicKey(storeId: string): TokenResult<string>;
  initializeToken(request: {
    readonly storeId: string;
    readonly slotId: number;
    readonly expectedSerial: string;
    readonly label: string;
    readonly soPin: SealedSecretValue;
    readonly pin: SealedSecretValue;
  }): TokenResult<{ readonly serial: string; readonly label: string; readonly slotId: number }>;
  login(
    token: TokenReference,
    pin: SealedSecretValue,
    consentToLastTry: boolean,
  ): TokenResult<{ readonly serial: string }>;
  logout(token: TokenReference): TokenResult<Record<string, never>>;
  listObjects(token: TokenReference): TokenResult<{
    readonly keyPairs: readonly KeyPairDescription[];
    readonly dataObjects: readonly DataObjectDescription[];
  }>;
  generateKeyPair(token: TokenReference, label: string, kind: WrappingKeyKind): TokenResult<WrappingKey>;
  findWrappingKey(token: TokenReference, label: string): TokenResult<WrappingKey>;
  writeData(
    token: TokenReference,
    label: string,
    value: Uint8Array,
  ): TokenResult<{ readonly label: string; readonly size: number }>;
  readData(token: TokenReference, label: string): TokenResult<Uint8Array>;
  deleteData(token: TokenReference, label: string): TokenResult<Record<string, never>>;
  decrypt(
    token: TokenReference,
    keyLabel: string,
    ciphertext: Uint8Array,
    recipient: string,
    purpose: string,
  ): TokenResult<SealedSecretValue>;
  /** `readData` and `decrypt` of one object in one request: a share never takes two turns of the token host. */
  decryptData(
    token: TokenReference,
    keyLabel: string,
    label: string,
    recipient: string,
    purpose: string,
  ): TokenResult<SealedSecretValue>;
  verifyDecrypt(
    token: TokenReference,
    keyLabel: string,
    ciphertext: Uint8Array,
    expectedSha256: string,
  ): TokenResult<{ readonly matches: boolean }>;
  /** Logs out everywhere, ends every host (and with it every PIN and plaintext it held). */
  closeAll(): Promise<void>;
}

// ---------------------------------------------------------------- Vault

export type VaultTrust =
  | { readonly kind: 'system' }
  | { readonly kind: 'ca-file'; readonly path: string }
  /** SHA-256 of the server's leaf certificate (DER), hex, as the person compared it. */
  | { readonly kind: 'pinned'; readonly sha256: string };

/** How one node is reached. `address` is https://host:port (http only for loopback). */
export interface VaultConnection {
  readonly address: string;
  readonly trust: VaultTrust;
}

export interface SealStatus {
  readonly product: 'vault' | 'openbao';
  readonly version: string;
  readonly type: string;
  readonly initialized: boolean;
  readonly sealed: boolean;
  readonly threshold: number;
  readonly shares: number;
  readonly progress: number;
  readonly nonce: string;
  readonly recoverySeal: boolean;
  readonly migration: boolean;
  readonly storageType: string;
  readonly clusterName: string;
  readonly clusterId: string;
}

export interface ServerCertificate {
  readonly sha256: string;
  readonly subject: string;
  readonly issuer: string;
  readonly validFrom: string;
  readonly validTo: string;
}

type VaultResult<Value> = Promise<Result<Value, VaultFailureCode>>;

/** Vault calls that carry no secret. */
export interface VaultPort {
  sealStatus(connection: VaultConnection): VaultResult<SealStatus>;
  /** sys/health's answer in words; every status code is an answer, not a failure. */
  health(connection: VaultConnection): VaultResult<{
    readonly state: 'active' | 'standby' | 'performance-standby' | 'dr-secondary' | 'sealed' | 'uninitialized';
  }>;
  /** The certificate the server shows, unverified: for a person to compare before pinning. */
  fetchCertificate(address: string): VaultResult<ServerCertificate>;
}

// ---------------------------------------------------------------- shares

export type ShareDestination =
  | { readonly kind: 'token' }
  | { readonly kind: 'secret' }
  | {
      readonly kind: 'pgp';
      readonly custodian: string;
      readonly publicKeyArmored: string;
      readonly fingerprint: string;
    }
  | { readonly kind: 'shown'; readonly custodian: string };

export type RootTokenDestination =
  | { readonly kind: 'token' }
  | { readonly kind: 'secret' }
  | {
      readonly kind: 'pgp';
      readonly custodian: string;
      readonly publicKeyArmored: string;
      readonly fingerprint: string;
    }
  | { readonly kind: 'revoked' };

/** One value of an initialisation: ciphertexts only, so it may lie on disk. */
export interface EscrowEntry {
  /** bank-vaults' name: vault-unseal-0 …, vault-root. */
  readonly label: string;
  /** RSA-OAEP-SHA-1 under the token's wrapping key, base64: what is stored on the token as it is. */
  readonly tokenCiphertext: string;
  /** Binary OpenPGP message to the custodian, base64; '' where the value goes elsewhere. */
  readonly pgpMessage: string;
  /** Where a value is encrypted anew: what the token held of it until now, under the key of before, base64. */
  readonly previousCiphertext?: string;
}

export interface Escrow {
  readonly runId: string;
  /** '' where the values come from a token and not from Vault's initialisation. */
  readonly vaultAddress: string;
  readonly publicKeySha256: string;
  readonly entries: readonly EscrowEntry[];
}

export interface UnsealProgress {
  readonly address: string;
  readonly result: Result<SealStatus, VaultFailureCode>;
}

export interface PgpKeyDescription {
  readonly fingerprint: string;
  readonly userId: string;
  readonly algorithm: string;
  /** ISO 8601, '' for never. */
  readonly expires: string;
}

type ShareResult<Value> = Promise<
  Result<Value, VaultFailureCode | PgpFailureCode | CustodyFailureCode | AppFailureCode>
>;

/**
 * Every Vault call that carries a share or root token, in a process of its own (the share host), which
 * is ended after the run. Shares enter and leave it sealed, as ciphertext for the token, or as PGP messages.
 */
export interface SharePort {
  /** An initialisation is under way or its values are not on disk yet: the process must not be ended. */
  readonly holdsUnsaved: boolean;
  sealingPublicKey(): ShareResult<string>;
  /**
   * PUT sys/init; the reply's values are encrypted under the token's public key (and to PGP keys) and the
   * escrow file is written and fsynced before this answers or tries anything else.
   */
  initialize(request: {
    readonly runId: string;
    readonly connection: VaultConnection;
    readonly shares: number;
    readonly threshold: number;
    readonly destinations: readonly ShareDestination[];
    readonly rootToken: RootTokenDestination;
    readonly wrappingKeySpki: string;
    readonly escrowPath: string;
  }): ShareResult<{ readonly labels: readonly string[] }>;
  /**
   * Starts the process, connects to each node and remembers what it says of its unsealing, so that the first
   * share goes out at once. Nothing depends on it: what fails here is met, and said, by `submitShare`.
   */
  prepareUnseal(connections: readonly VaultConnection[]): ShareResult<Record<string, never>>;
  /**
   * Submits one share to every node at once. The share is opened, checked for form, sent, wiped.
   * @param straightOn this share follows the last look at the nodes, or the last share, without a pause in
   * which a person or another program could have stepped in: each node's reply is judged against what it said
   * then. Otherwise each node is asked for its status first.
   * @param migrate the share is for a node that waits for its seal to be migrated, and for no other
   */
  submitShare(
    connections: readonly VaultConnection[],
    share: SealedSecretValue,
    straightOn?: boolean,
    migrate?: boolean,
  ): ShareResult<readonly UnsealProgress[]>;
  /** The same for a share in a PGP message, decrypted by the person's own gpg (its pinentry asks). */
  submitPgpShare(
    connections: readonly VaultConnection[],
    pgpMessage: Uint8Array,
    migrate?: boolean,
  ): ShareResult<readonly UnsealProgress[]>;
  resetUnseal(connection: VaultConnection): ShareResult<SealStatus>;
  /** POST auth/token/revoke-self with a sealed token. */
  revokeRootToken(connection: VaultConnection, token: SealedSecretValue): ShareResult<{ readonly revoked: true }>;
  /** Reads an armored or binary public key; refuses expired, revoked, sign-only and private ones. */
  describePgpKey(key: Uint8Array): ShareResult<PgpKeyDescription & { readonly publicKeyArmored: string }>;
  /** Ends the process, after what it holds unsaved is on disk: until then this waits. */
  close(): Promise<void>;
}

// ---------------------------------------------------------------- custody

export interface EscrowPort {
  path(runId: string): string;
  /** undefined where there is none. */
  read(runId: string): Promise<Result<Escrow | undefined, CustodyFailureCode>>;
  /** Writes, fsyncs, renames into place and reads back: for a run that makes new ciphertexts itself. */
  write(escrow: Escrow): Promise<Result<Record<string, never>, CustodyFailureCode>>;
  remove(runId: string): Promise<Result<Record<string, never>, CustodyFailureCode>>;
}

/** Where PGP messages for custodians, DKEK shares and wrapped keys are left: ciphertext only. */
export interface OutboxPort {
  write(
    runId: string,
    fileName: string,
    content: Uint8Array,
  ): Promise<Result<{ readonly path: string }, CustodyFailureCode>>;
  /** What this run left there; undefined where there is no such file. */
  read(runId: string, fileName: string): Promise<Result<Uint8Array | undefined, CustodyFailureCode>>;
}

export interface JournalPort {
  /** Appends one event and fsyncs it. Answers once it is on disk. */
  /** Events that are appended in the same turn go to disk together, in their order. */
  append(
    runId: string,
    event: unknown,
  ): Promise<Result<{ readonly sequence: number; readonly hash: string; readonly at: string }, CustodyFailureCode>>;
  /** A run that is being written answers the same list each time, from memory, which grows with it. */
  read(
    runId: string,
  ): Promise<
    Result<readonly { readonly event: unknown; readonly at: string; readonly hash: string }[], CustodyFailureCode>
  >;
  listRunIds(): Promise<Result<readonly string[], CustodyFailureCode>>;
}

// ---------------------------------------------------------------- people

export interface PromptSubject {
  readonly runId: string;
  readonly rehearsal: boolean;
  /** What the secret is for, in words: "Log in to store the key shares". */
  readonly act: string;
  readonly tokenLabel: string;
  readonly tokenSerial: string;
}

type PromptResult<Value> = Promise<Result<Value, AppFailureCode>>;

/** The only place where a secret is typed or shown: the prompt window, or the terminal. */
export interface PromptPort {
  askPin(
    request: PromptSubject & {
      readonly role: 'user' | 'so';
      /** A new PIN is typed twice. */
      readonly isNew: boolean;
      readonly minimumLength: number;
      readonly maximumLength: number;
      readonly pinState: 'ok' | 'count-low' | 'final-try' | 'locked';
      /** 'hex16': the 16 hexadecimal digits that a SmartCard-HSM's SO-PIN is made of; `isNew` then offers one made at random. */
      readonly form?: 'text' | 'hex16';
      /** What went wrong the last time, '' for nothing. */
      readonly problem: string;
      /** The same as a failure: what a script's prompt answers, since it must not try another PIN by itself. */
      readonly failedWith?: Failure<TokenFailureCode> | undefined;
      readonly recipient: string;
      readonly purpose: string;
    },
  ): Promise<
    Result<
      { readonly sealed: SealedSecretValue; readonly consentToLastTry: boolean },
      AppFailureCode | TokenFailureCode
    >
  >;
  /** A password that is no PIN, or a piece of one: of a DKEK share. */
  askPassword(
    request: PromptSubject & {
      /** What is typed, in words: “Password for DKEK share 1”. */
      readonly what: string;
      readonly custodian: string;
      /** A new password is typed twice. */
      readonly isNew: boolean;
      /** 'piece': hexadecimal digits, as they were handed out. 'secret-value': what goes into a Secret of a cluster. 'vault-token': an administrator's. */
      readonly form: 'password' | 'piece' | 'secret-value' | 'vault-token';
      readonly minimumLength: number;
      readonly problem: string;
      /** The same as a failure: what a script's prompt answers, as for a PIN. */
      readonly failedWith?: Failure<TokenFailureCode | VaultFailureCode> | undefined;
      readonly recipient: string;
      readonly purpose: string;
    },
  ): Promise<Result<SealedSecretValue, AppFailureCode | TokenFailureCode | VaultFailureCode>>;
  /** A share typed by a custodian. */
  askShare(request: {
    readonly runId: string;
    readonly rehearsal: boolean;
    readonly act: string;
    readonly vaultName: string;
    readonly problem: string;
    readonly recipient: string;
    readonly purpose: string;
  }): PromptResult<SealedSecretValue>;
  /**
   * Shows one value to one custodian and takes it typed back; answers only when both agree.
   * `unseal` is called with the prompt's own public key and answers the value sealed to it.
   */
  handOut(request: {
    readonly runId: string;
    readonly rehearsal: boolean;
    readonly custodian: string;
    readonly label: string;
    readonly vaultName: string;
    readonly sealTo: (promptPublicKey: string) => Promise<Result<SealedSecretValue>>;
    readonly purpose: string;
  }): PromptResult<{ readonly confirmed: true }>;
}
