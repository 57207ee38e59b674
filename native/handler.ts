/**
 * What every request of the token host is built from: schemas tied to work, sealed secrets opened for one call and
 * wiped, plaintexts sealed to their receiver, and the one PKCS#11 module of this process.
 */
import type { z } from 'zod';
import type { Opener } from '../electron/hosts/opener.ts';
import type { SealedSecret } from '../electron/sealing/sealed.ts';
import { failure, success } from '../electron/workflows/failures.ts';
import type { Plaintext } from './pkcs11/decrypt.ts';
import type { TokenModule } from './pkcs11/module.ts';
import type { TokenResult } from './pkcs11/return-values.ts';
import { createSealer, type Sealer } from './sealer.ts';

/** What handlers share. */
export interface HostParts {
  readonly opener: Opener;
  readonly sealers: SealerCache;
  /** The module, loaded at the first request that needs it; a failure is tried again at the next one. */
  withModule<Value>(work: (module: TokenModule) => TokenResult<Value>): TokenResult<Value>;
  /**
   * Ends every login and finalises the module, where it is loaded. The next request starts it anew: it then
   * sees what has changed on a card behind its back.
   */
  stopModule(): void;
  /**
   * A card was changed behind the module's back: at the next `withModule` it is started anew, and logins that hold
   * up to then are made again. Until then they stay, so that several keys can be wrapped or unwrapped in one go.
   */
  changedOnCard(): void;
  /** Whether this host has logged in to the token. Loads nothing. */
  isLoggedIn(serial: string): boolean;
}

export type Handler = (body: unknown) => Promise<TokenResult<unknown>>;

interface MethodSchemas<Request, Reply> {
  readonly request: z.ZodType<Request>;
  readonly reply: z.ZodType<Reply>;
}

/** Ties a method's work to its schemas: the request is parsed, the reply's type is checked. */
export function handler<Request, Reply>(
  schemas: MethodSchemas<Request, Reply>,
  work: (request: Request) => TokenResult<Reply> | Promise<TokenResult<Reply>>,
): Handler {
  return async (body) => {
    const parsed = parseRequest(schemas.request, body);
    return parsed.ok ? work(parsed.value) : parsed;
  };
}

/** A request's body, or Token_BadRequest. */
export function parseRequest<Request>(schema: z.ZodType<Request>, body: unknown): TokenResult<Request> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return success(parsed.data);
  // The issues' paths name fields; their values, which may be anything, are left out.
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  return badRequest(`The token host was asked something malformed (${fields}).`);
}

export function badRequest(message: string): {
  readonly ok: false;
  readonly error: { code: 'Token_BadRequest'; message: string; next: string };
} {
  return {
    ok: false,
    error: { code: 'Token_BadRequest', message, next: 'This is a fault in the program; report it.' },
  };
}

/** Opens a sealed PIN or password for one piece of work and wipes it afterwards. */
export async function withSecret<Value>(
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

export interface SealerCache {
  /** Seals and wipes. */
  seal(plaintext: Plaintext, recipient: string, purpose: string): TokenResult<{ sealed: SealedSecret }>;
}

/** How many receivers the host keeps a derived sealing key for. */
const sealersKept = 8;

export function createSealerCache(): SealerCache {
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
