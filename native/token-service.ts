import { createHash, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { secretPurpose } from '../electron/sealing/schema.ts';
import { createOpener, type Opener } from '../electron/hosts/opener.ts';
import type { SealedSecret } from '../electron/sealing/sealed.ts';
import { failure, success } from '../electron/workflows/failures.ts';
import { deleteData, readData, writeData } from './pkcs11/data-objects.ts';
import { decrypt, type Plaintext } from './pkcs11/decrypt.ts';
import { initializeToken } from './pkcs11/initialize-token.ts';
import { findWrappingKey, generateKeyPair, lookUpPrivateKeys } from './pkcs11/keys.ts';
import { listObjects } from './pkcs11/list-objects.ts';
import { login } from './pkcs11/login.ts';
import { loadModule, stopLibrary, type TokenModule } from './pkcs11/module.ts';
import type { TokenResult } from './pkcs11/return-values.ts';
import { endLogin } from './pkcs11/sessions.ts';
import { findTokens } from './pkcs11/tokens.ts';
import { tokenHostRequests, type TokenHostMethod } from './protocol.ts';
import { createSealer, type Sealer } from './sealer.ts';

export interface TokenService {
  answer(method: string, body: unknown): Promise<TokenResult<unknown>>;
}

interface MethodSchemas<Request, Reply> {
  readonly request: z.ZodType<Request>;
  readonly reply: z.ZodType<Reply>;
}

type Handler = (body: unknown) => Promise<TokenResult<unknown>>;

/** Ties a method's work to its schemas: the request is parsed, the reply's type is checked. */
function handler<Request, Reply>(
  schemas: MethodSchemas<Request, Reply>,
  work: (request: Request) => TokenResult<Reply> | Promise<TokenResult<Reply>>,
): Handler {
  return async (body) => {
    const parsed = schemas.request.safeParse(body);
    if (parsed.success) return work(parsed.data);
    // The issues' paths name fields; their values, which may be anything, are left out.
    const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    return badRequest(`The token host was asked something malformed (${fields}).`);
  };
}

function badRequest(message: string): {
  readonly ok: false;
  readonly error: { code: 'Token_BadRequest'; message: string; next: string };
} {
  return {
    ok: false,
    error: { code: 'Token_BadRequest', message, next: 'This is a fault in the program; report it.' },
  };
}

/** How many receivers the host keeps a derived sealing key for. */
const sealersKept = 8;

/** Everything that the token host can do, with the one module that it was started for. */
export function createTokenService(modulePath: string): TokenService {
  const opener = createOpener();
  const sealers = createSealerCache();
  let loaded: TokenModule | undefined;

  /** The module, loaded at the first request that needs it; a failure is tried again at the next one. */
  function withModule<Value>(work: (module: TokenModule) => TokenResult<Value>): TokenResult<Value> {
    if (loaded === undefined) {
      const result = loadModule(modulePath);
      if (!result.ok) return result;
      loaded = result.value;
    }
    return work(loaded);
  }

  const handlers: Readonly<Partial<Record<TokenHostMethod, Handler>>> = {
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
        return tokens.ok ? success(tokens.value.map(({ entry }) => entry)) : tokens;
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
      withSecret(opener, pin, secretPurpose.pin(serial), (bytes) =>
        withModule((module) => {
          const loggedIn = login(module, serial, bytes, consentToLastTry);
          if (loggedIn.ok) setImmediate(() => lookUpPrivateKeys(module, serial));
          return loggedIn;
        }),
      ),
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
    generateKeyPair: handler(tokenHostRequests.generateKeyPair, ({ serial, label, modulusBits }) =>
      withModule((module) => generateKeyPair(module, serial, label, modulusBits)),
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
    decrypt: handler(tokenHostRequests.decrypt, ({ serial, keyLabel, ciphertext, recipient, purpose }) => {
      const plaintext = withModule((module) => decrypt(module, serial, keyLabel, Buffer.from(ciphertext, 'base64')));
      return plaintext.ok ? sealers.seal(plaintext.value, recipient, purpose) : plaintext;
    }),
    decryptData: handler(tokenHostRequests.decryptData, ({ serial, keyLabel, label, recipient, purpose }) => {
      const plaintext = withModule((module) => {
        const read = readData(module, serial, label);
        return read.ok ? decrypt(module, serial, keyLabel, read.value.value) : read;
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
      if (loaded !== undefined) {
        for (const serial of [...loaded.logins.keys()]) endLogin(loaded, serial);
        stopLibrary(loaded);
        loaded = undefined;
      }
      return success({});
    }),
  };

  return {
    answer: async (method, body) => {
      const work = isMethod(method) ? handlers[method] : undefined;
      return work === undefined ? badRequest('The token host was asked something that it does not know.') : work(body);
    },
  };
}

function isMethod(method: string): method is TokenHostMethod {
  return Object.hasOwn(tokenHostRequests, method);
}

/** Opens a sealed PIN for one piece of work and wipes it afterwards. */
async function withSecret<Value>(
  opener: Opener,
  sealed: SealedSecret,
  purpose: string,
  work: (secret: Uint8Array) => TokenResult<Value> | Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  const secret = opener.open(sealed, purpose);
  if (secret === undefined) {
    return failure(
      'Token_BadRequest',
      'The PIN was sealed for another token, or for a token host that has ended since. It was not sent.',
      'Enter the PIN again.',
    );
  }
  try {
    return await work(secret);
  } finally {
    secret.fill(0);
  }
}

interface SealerCache {
  /** Seals and wipes. */
  seal(plaintext: Plaintext, recipient: string, purpose: string): TokenResult<{ sealed: SealedSecret }>;
}

function createSealerCache(): SealerCache {
  const sealers = new Map<string, Sealer>();
  let last: { readonly recipient: string; readonly purpose: string; readonly sealer: Sealer } | undefined;
  function sealerFor(recipient: string, purpose: string): Sealer | undefined {
    if (last?.recipient === recipient && last.purpose === purpose) return last.sealer;
    const sealer = cachedSealer(recipient, purpose);
    if (sealer !== undefined) last = { recipient, purpose, sealer };
    return sealer;
  }
  function cachedSealer(recipient: string, purpose: string): Sealer | undefined {
    const name = `${recipient} ${purpose}`;
    const known = sealers.get(name);
    if (known !== undefined) return known;
    const made = createSealer(recipient, purpose);
    if (made === undefined) return undefined;
    sealers.set(name, made);
    const [oldest] = sealers.keys();
    if (sealers.size > sealersKept && oldest !== undefined) sealers.delete(oldest);
    return made;
  }
  return {
    seal: (plaintext, recipient, purpose) => {
      const sealer = sealerFor(recipient, purpose);
      const sealed = sealer?.seal(plaintext.bytes);
      plaintext.wipe();
      return sealed === undefined ? badRequest('The receiver’s public key is none.') : success({ sealed });
    },
  };
}
