/**
 * Decrypts in several sessions at once, for a library that computes on the machine's own processors. pkcs11js runs
 * them on Node's thread pool; it does not keep the buffers that it was given alive (its issue 121), and C_Finalize
 * while one is under way ends the process: whoever calls this holds the buffers and starts nothing else meanwhile.
 */
import pkcs11js, { type Handle } from 'pkcs11js';
import { outputOf, plaintextIn, type Plaintext } from './decrypt.ts';
import { mayBeCalledFromThreads, type Login, type TokenModule } from './module.ts';
import { attempt, returnValueOf } from './return-values.ts';
import { decryptMechanism } from './templates.ts';

/** Sessions beside the login's own: as many as Node's pool has threads. */
const furtherSessions = 4;

/**
 * Whether decrypts at once take less time than one after the other. SoftHSM computes on the machine's processors, and
 * may be called from several threads (CKF_OS_LOCKING_OK); a card does one thing at a time.
 */
export function worksInParallel({ manufacturer, path }: TokenModule): boolean {
  return manufacturer === 'SoftHSM' && mayBeCalledFromThreads(path);
}

export interface DecryptRequest {
  readonly serial: string;
  readonly keyLabel: string;
  readonly ciphertext: Buffer;
}

/** Further sessions of a login, opened when they are first needed; its key handles hold in them (PKCS#11 v2.40 section 2.6). */
function sessionsOf(module: TokenModule, login: Login): readonly Handle[] {
  while (login.furtherSessions.length < furtherSessions) {
    const opened = attempt(() => module.cryptoki.C_OpenSession(login.slot, pkcs11js.CKF_SERIAL_SESSION));
    if (!opened.ok) break;
    login.furtherSessions.push(opened.value);
  }
  return login.furtherSessions;
}

async function decryptOne(
  module: TokenModule,
  login: Login,
  session: Handle,
  { keyLabel, ciphertext }: DecryptRequest,
  place: number,
): Promise<Plaintext | undefined> {
  const key = login.privateKeys.get(keyLabel);
  if (key === undefined || key.curveKeySha256 !== undefined) return undefined;
  const output = outputOf(place, key.modulusBytes);
  try {
    module.cryptoki.C_DecryptInit(session, decryptMechanism, key.handle);
    const { length } = await module.cryptoki.C_DecryptAsync(session, ciphertext, output);
    return plaintextIn(output, length);
  } catch (thrown) {
    output.fill(0);
    if (returnValueOf(thrown) === undefined) throw thrown;
    return undefined;
  }
}

/**
 * RSA-OAEP-SHA-1 on one token for several ciphertexts, of which the plaintexts are kept in places from 0. Only where
 * the token is logged in and the key was used before.
 * @param mayGoOn asked before each further one is begun
 * @returns by ciphertext; undefined where it did not come about: `decrypt` does that one by itself, and says why not
 */
export async function decryptInParallel(
  module: TokenModule,
  requests: readonly DecryptRequest[],
  mayGoOn: () => boolean,
): Promise<readonly (Plaintext | undefined)[]> {
  const plaintexts: (Plaintext | undefined)[] = [];
  const serial = requests[0]?.serial;
  const login = serial === undefined ? undefined : module.logins.get(serial);
  if (login === undefined) return plaintexts;
  let begun = 0;
  const workOff = async (session: Handle): Promise<void> => {
    for (;;) {
      const place = begun;
      const request = requests[place];
      if (request === undefined || request.serial !== serial || (place > 0 && !mayGoOn())) return;
      begun += 1;
      plaintexts[place] = await decryptOne(module, login, session, request, place);
    }
  };
  await Promise.all(sessionsOf(module, login).map(workOff));
  return plaintexts;
}
