import { statSync } from 'node:fs';
import { basename } from 'node:path';
import pkcs11js, { type Handle, type PKCS11 } from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import { attempt, failureOfReturnValue, returnValueOf, type TokenResult } from './return-values.ts';

/** A private key as found in one login; handles do not outlive the session that found them. */
export interface PrivateKeyHandle {
  readonly handle: Handle;
  readonly modulusBytes: number;
  /** SHA-256 of the public half, hex, of a key of a curve; undefined for RSA. */
  readonly curveKeySha256: string | undefined;
}

/** The host's one logged-in session on a token. */
export interface Login {
  readonly slot: Handle;
  readonly session: Handle;
  /** See `parallel-decrypt.ts`; closed with the login. */
  readonly furtherSessions: Handle[];
  readonly privateKeys: Map<string, PrivateKeyHandle>;
}

/** The loaded and initialised PKCS#11 library and what this process holds in it. */
export interface TokenModule {
  readonly cryptoki: PKCS11;
  readonly path: string;
  readonly manufacturer: string;
  readonly description: string;
  readonly libraryVersion: string;
  readonly cryptokiVersion: string;
  /** By token serial. */
  readonly logins: Map<string, Login>;
  /** A token went away: the library's own view of its slots is not to be trusted until it is started anew. */
  stale: boolean;
}

/** Fixed-length text fields are padded with blanks (PKCS#11 v2.40 section 3.2); some vendors pad with zeros. */
export function trimPadding(text: string): string {
  return text.replaceAll('\u0000', ' ').trimEnd();
}

function versionText(version: { readonly major: number; readonly minor: number }): string {
  return `${version.major}.${version.minor}`;
}

/**
 * Loads and initialises a PKCS#11 library.
 * Failures: Token_ModuleMissing (no such file), Token_ModuleNotPkcs11 (not a library, or none of PKCS#11),
 * else what C_Initialize answered (Token_GeneralError where SoftHSM may not open its store).
 */
export function loadModule(path: string): TokenResult<TokenModule> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    return failure(
      'Token_ModuleMissing',
      `There is no PKCS#11 module at ${path}.`,
      'Check the path, or install the package that the module comes with.',
      { path },
    );
  }
  const cryptoki = new pkcs11js.PKCS11();
  try {
    cryptoki.load(path);
  } catch (thrown) {
    const reason = returnValueOf(thrown)?.name ?? (thrown instanceof Error ? thrown.message : 'unknown');
    return failure(
      'Token_ModuleNotPkcs11',
      `${path} is not a PKCS#11 module for this computer.`,
      'Choose the shared library (.so) that the token’s vendor names as its PKCS#11 module.',
      { path, reason },
    );
  }
  const started = initializeLibrary(cryptoki, path);
  if (!started.ok) return started;
  const information = attempt(() => cryptoki.C_GetInfo());
  if (!information.ok) return failureOfReturnValue(information.returnValue);
  return success({
    cryptoki,
    path,
    manufacturer: trimPadding(information.value.manufacturerID),
    description: trimPadding(information.value.libraryDescription),
    libraryVersion: versionText(information.value.libraryVersion),
    cryptokiVersion: versionText(information.value.cryptokiVersion),
    logins: new Map(),
    stale: false,
  });
}

/**
 * Whether the library is told to lock (CKF_OS_LOCKING_OK), so that `parallel-decrypt.ts` may call it from several
 * threads. SoftHSM alone gains by it: a card does one thing at a time, and its library is asked as one thread would.
 */
export function mayBeCalledFromThreads(path: string): boolean {
  return basename(path).includes('softhsm');
}

function initializeLibrary(cryptoki: PKCS11, path: string): TokenResult<Record<string, never>> {
  const started = attempt(() =>
    mayBeCalledFromThreads(path)
      ? cryptoki.C_Initialize({ flags: pkcs11js.CKF_OS_LOCKING_OK })
      : cryptoki.C_Initialize(),
  );
  if (started.ok || started.returnValue.code === pkcs11js.CKR_CRYPTOKI_ALREADY_INITIALIZED) return success({});
  const { code, name } = started.returnValue;
  // All that SoftHSM says of a configuration or token folder that is missing or not for this user.
  if (code === pkcs11js.CKR_GENERAL_ERROR && basename(path).includes('softhsm')) {
    return failure(
      'Token_GeneralError',
      'SoftHSM could not open its token store: its configuration or token folder is missing, or not open to this user.',
      'Add the user to the group softhsm and log in again, or let SOFTHSM2_CONF name a configuration of your own. A rehearsal needs neither.',
      { returnValue: name, returnValueNumber: code, configuration: process.env['SOFTHSM2_CONF'] ?? 'the default' },
    );
  }
  return failureOfReturnValue(started.returnValue);
}

/** C_Finalize; every session must be closed. */
export function stopLibrary(module: TokenModule): TokenResult<Record<string, never>> {
  const stopped = attempt(() => module.cryptoki.C_Finalize());
  if (stopped.ok || stopped.returnValue.code === pkcs11js.CKR_CRYPTOKI_NOT_INITIALIZED) return success({});
  return failureOfReturnValue(stopped.returnValue);
}

/**
 * C_Finalize and C_Initialize, so that the library looks at its slots afresh: SoftHSM reads its token
 * directory only then, and renumbers its slots. Done only while no session is open.
 * @returns whether it was done
 */
export function restartLibrary(module: TokenModule): TokenResult<boolean> {
  if (module.logins.size > 0) return success(false);
  const stopped = stopLibrary(module);
  if (!stopped.ok) return stopped;
  const started = initializeLibrary(module.cryptoki, module.path);
  if (!started.ok) return started;
  module.stale = false;
  return success(true);
}

/** SoftHSM sees tokens made by other processes only after a restart of the library. Others look at each C_GetSlotList. */
export function listsSlotsOnlyAtStart(module: TokenModule): boolean {
  return module.manufacturer === 'SoftHSM';
}
