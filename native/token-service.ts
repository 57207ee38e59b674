import { createHash, timingSafeEqual } from 'node:crypto';
import { secretPurpose } from '../electron/sealing/schema.ts';
import type { SealedSecret } from '../electron/sealing/sealed.ts';
import { createOpener } from '../electron/hosts/opener.ts';
import { success } from '../electron/workflows/failures.ts';
import { createTurnOfDecrypts } from './decrypt-in-turn.ts';
import { badRequest, createSealerCache, handler, withSecret, type Handler, type HostParts } from './handler.ts';
import { deleteData, readData, writeData } from './pkcs11/data-objects.ts';
import { decrypt } from './pkcs11/decrypt.ts';
import { initializeToken } from './pkcs11/initialize-token.ts';
import { findWrappingKey, generateKeyPair, lookUpPrivateKeys } from './pkcs11/keys.ts';
import { listObjects } from './pkcs11/list-objects.ts';
import { login } from './pkcs11/login.ts';
import { loadModule, stopLibrary, type Login, type TokenModule } from './pkcs11/module.ts';
import { createObjectHandlers } from './pkcs11/object-handlers.ts';
import type { TokenResult } from './pkcs11/return-values.ts';
import { endLogin, endLostLogins, isSessionAlive } from './pkcs11/sessions.ts';
import { findTokens } from './pkcs11/tokens.ts';
import { tokenHostRequests, type TokenHostMethod } from './protocol.ts';
import { createDeviceHandlers } from './smartcard-hsm/handlers.ts';

export interface TokenService {
  answer(method: string, body: unknown): Promise<TokenResult<unknown>>;
  /**
   * The method `decrypt` for as many of these as fit into one turn.
   * @returns answers to the first of them, at least to one
   */
  decryptInTurn(bodies: readonly unknown[]): Promise<readonly TokenResult<unknown>[]>;
}

/** What `HostParts` has no use for outside this file. */
interface LogInParts {
  /** Logs in, and keeps the PIN sealed as it came until that login ends. */
  logIn(
    serial: string,
    pin: SealedSecret,
    consentToLastTry: boolean,
  ): Promise<TokenResult<{ readonly serial: string }>>;
}

function createHostParts(modulePath: string): HostParts & LogInParts {
  const opener = createOpener();
  /** Gone with its login: after an unplugging, a logout or a lock a PIN is typed again. */
  const pinOfLogin = new WeakMap<Login, SealedSecret>();
  let loaded: TokenModule | undefined;
  let isChanged = false;
  const stopModule = (): void => {
    isChanged = false;
    if (loaded === undefined) return;
    for (const serial of [...loaded.logins.keys()]) endLogin(loaded, serial);
    stopLibrary(loaded);
    loaded = undefined;
  };
  const loadIfNeeded = (): TokenResult<TokenModule> => {
    if (loaded !== undefined) return success(loaded);
    const result = loadModule(modulePath);
    if (result.ok) loaded = result.value;
    return result;
  };
  const keepPin = (module: TokenModule, serial: string, pin: SealedSecret): void => {
    const made = module.logins.get(serial);
    if (made !== undefined) pinOfLogin.set(made, pin);
  };
  /**
   * The library is started anew by an act of this host: logins that hold up to then are made again with the PINs that
   * made them, so that nobody is asked twice for one. Where that fails the token counts as logged out.
   */
  const startAnew = (module: TokenModule): TokenResult<TokenModule> => {
    const held = [...module.logins].flatMap(([serial, kept]) => {
      const pin = pinOfLogin.get(kept);
      return pin !== undefined && isSessionAlive(module, kept.session) ? [{ serial, pin }] : [];
    });
    stopModule();
    const started = loadIfNeeded();
    if (!started.ok) return started;
    for (const { serial, pin } of held) {
      const bytes = opener.open(pin, secretPurpose.pin(serial));
      if (bytes === undefined) continue;
      try {
        if (login(started.value, serial, bytes, false).ok) keepPin(started.value, serial, pin);
      } finally {
        bytes.fill(0);
      }
    }
    return started;
  };
  const withModule: HostParts['withModule'] = (work) => {
    if (isChanged && loaded !== undefined) {
      const started = startAnew(loaded);
      if (!started.ok) return started;
    }
    isChanged = false;
    const module = loadIfNeeded();
    return module.ok ? work(module.value) : module;
  };
  return {
    opener,
    sealers: createSealerCache(),
    withModule,
    stopModule,
    changedOnCard: () => {
      isChanged = true;
    },
    isLoggedIn: (serial) => loaded?.logins.has(serial) === true,
    logIn: (serial, pin, consentToLastTry) =>
      withSecret(opener, pin, secretPurpose.pin(serial), (bytes) =>
        withModule((module) => {
          const loggedIn = login(module, serial, bytes, consentToLastTry);
          if (loggedIn.ok) {
            keepPin(module, serial, pin);
            setImmediate(() => lookUpPrivateKeys(module, serial));
          }
          return loggedIn;
        }),
      ),
  };
}

/** Everything that the token host can do, with the one module that it was started for. */
export function createTokenService(modulePath: string): TokenService {
  const parts = createHostParts(modulePath);
  const { opener, sealers, withModule, stopModule } = parts;
  const decryptInTurn = createTurnOfDecrypts(parts);

  const handlers: Readonly<Record<TokenHostMethod, Handler>> = {
    hello: handler(tokenHostRequests.hello, () =>
      withModule(({ manufacturer, description, libraryVersion, cryptokiVersion }) =>
        success({
          sealingPublicKey: opener.publicKey,
          module: { manufacturer, description, libraryVersion, cryptokiVersion },
        }),
      ),
    ),
    listTokens: handler(tokenHostRequests.listTokens, () =>
      withModule((module) => {
        const tokens = findTokens(module);
        if (!tokens.ok) return tokens;
        endLostLogins(module, tokens.value);
        return success(tokens.value.map(({ entry }) => ({ ...entry, loggedIn: module.logins.has(entry.serial) })));
      }),
    ),
    initializeToken: handler(tokenHostRequests.initializeToken, (request) => {
      const { slotId, expectedSerial, label } = request;
      return withSecret(opener, request.soPin, secretPurpose.soPin(expectedSerial), (soPin) =>
        withSecret(opener, request.pin, secretPurpose.pin(expectedSerial), (pin) =>
          withModule((module) => initializeToken(module, { slotId, expectedSerial, label, soPin, pin })),
        ),
      );
    }),
    login: handler(tokenHostRequests.login, ({ serial, pin, consentToLastTry }) =>
      parts.logIn(serial, pin, consentToLastTry),
    ),
    logout: handler(tokenHostRequests.logout, ({ serial }) =>
      withModule((module) => {
        endLogin(module, serial);
        return success({});
      }),
    ),
    listObjects: handler(tokenHostRequests.listObjects, ({ serial }) =>
      withModule((module) => listObjects(module, serial)),
    ),
    generateKeyPair: handler(tokenHostRequests.generateKeyPair, ({ serial, label, kind }) =>
      withModule((module) => generateKeyPair(module, serial, label, kind)),
    ),
    findWrappingKey: handler(tokenHostRequests.findWrappingKey, ({ serial, label }) =>
      withModule((module) => findWrappingKey(module, serial, label)),
    ),
    writeData: handler(tokenHostRequests.writeData, ({ serial, label, value }) =>
      withModule((module) => writeData(module, serial, label, Buffer.from(value, 'base64'))),
    ),
    readData: handler(tokenHostRequests.readData, ({ serial, label }) =>
      withModule((module) => {
        const read = readData(module, serial, label);
        return read.ok ? success({ label, value: read.value.value.toString('base64') }) : read;
      }),
    ),
    deleteData: handler(tokenHostRequests.deleteData, ({ serial, label }) =>
      withModule((module) => deleteData(module, serial, label)),
    ),
    decrypt: async (body) => (await decryptInTurn([body]))[0] ?? badRequest('There is nothing to decrypt.'),
    decryptData: handler(tokenHostRequests.decryptData, ({ serial, keyLabel, label, recipient, purpose }) => {
      const plaintext = withModule((module) => {
        const read = readData(module, serial, label);
        return read.ok ? decrypt(module, serial, keyLabel, read.value.value, 0, label) : read;
      });
      return plaintext.ok ? sealers.seal(plaintext.value, recipient, purpose) : plaintext;
    }),
    verifyDecrypt: handler(tokenHostRequests.verifyDecrypt, ({ serial, keyLabel, ciphertext, expectedSha256 }) => {
      const plaintext = withModule((module) => decrypt(module, serial, keyLabel, Buffer.from(ciphertext, 'base64')));
      if (!plaintext.ok) return plaintext;
      const digest = createHash('sha256').update(plaintext.value.bytes).digest();
      plaintext.value.wipe();
      const expected = Buffer.from(expectedSha256, 'hex');
      return success({ matches: expected.length === digest.length && timingSafeEqual(digest, expected) });
    }),
    close: handler(tokenHostRequests.close, () => {
      stopModule();
      return success({});
    }),
    ...createObjectHandlers(parts),
    ...createDeviceHandlers(parts),
  };

  return {
    decryptInTurn,
    answer: async (method, body) => {
      const work = isMethod(method) ? handlers[method] : undefined;
      return work === undefined ? badRequest('The token host was asked something that it does not know.') : work(body);
    },
  };
}

function isMethod(method: string): method is TokenHostMethod {
  return Object.hasOwn(tokenHostRequests, method);
}
