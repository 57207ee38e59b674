/**
 * Several decrypts of one turn. Each kind of work is done for all of them before the next kind: an RSA decrypt in
 * software pushes everything else out of the processor's caches, so that parsing and sealing between two of them
 * took a tenth of a decrypt, and a fiftieth where they follow one another.
 */
import type { SealedSecret } from '../electron/sealing/sealed.ts';
import { success } from '../electron/workflows/failures.ts';
import { parseRequest, type HostParts } from './handler.ts';
import { decrypt, type Plaintext } from './pkcs11/decrypt.ts';
import { decryptInParallel, worksInParallel, type DecryptRequest } from './pkcs11/parallel-decrypt.ts';
import type { TokenResult } from './pkcs11/return-values.ts';
import { tokenHostRequests } from './protocol.ts';

/** How many plaintexts are held at most until they are sealed and wiped, and after how many milliseconds no further one is begun. */
export const decryptsInTurn = 32;
const turnMilliseconds = 25;

/** After one that took longer, what has been decrypted is answered at once: a card's takes a third of a second. */
const quickMilliseconds = 5;

interface Request extends DecryptRequest {
  readonly recipient: string;
  readonly purpose: string;
}

function readRequest(body: unknown): TokenResult<Request> {
  const parsed = parseRequest(tokenHostRequests.decrypt.request, body);
  return parsed.ok ? success({ ...parsed.value, ciphertext: Buffer.from(parsed.value.ciphertext, 'base64') }) : parsed;
}

/** The requests before the first malformed one. */
function leading(read: readonly TokenResult<Request>[]): readonly Request[] {
  const end = read.findIndex(({ ok }) => !ok);
  return (end === -1 ? read : read.slice(0, end)).flatMap((each) => (each.ok ? [each.value] : []));
}

/**
 * Answers decrypts, at least the first and as many as fit into a turn. Failures: those of `decrypt`, and
 * Token_BadRequest.
 */
export function createTurnOfDecrypts(
  parts: Pick<HostParts, 'withModule' | 'sealers'>,
): (bodies: readonly unknown[]) => Promise<readonly TokenResult<{ readonly sealed: SealedSecret }>[]> {
  /** The first plaintexts, where the library gains by several decrypts at once; undefined for those that have to be done singly. */
  const openInParallel = async (
    requests: readonly Request[],
    until: number,
  ): Promise<readonly (Plaintext | undefined)[]> => {
    const module = requests.length > 1 ? parts.withModule(success) : undefined;
    if (module?.ok !== true || !worksInParallel(module.value)) return [];
    return decryptInParallel(module.value, requests, () => performance.now() < until);
  };
  const openSingly = ({ serial, keyLabel, ciphertext }: Request, place: number): TokenResult<Plaintext> =>
    parts.withModule((module) => decrypt(module, serial, keyLabel, ciphertext, place));

  return async (bodies) => {
    const read = bodies.slice(0, decryptsInTurn).map(readRequest);
    const until = performance.now() + turnMilliseconds;
    const ahead = await openInParallel(leading(read), until);
    const opened: { readonly request: TokenResult<Request>; readonly plaintext: TokenResult<Plaintext> }[] = [];
    for (const request of read) {
      const place = opened.length;
      const began = performance.now();
      const known = ahead[place];
      const plaintext = !request.ok ? request : known === undefined ? openSingly(request.value, place) : success(known);
      opened.push({ request, plaintext });
      const now = performance.now();
      const isTurnOver = now >= until || now - began >= quickMilliseconds;
      // What has been decrypted ahead is sealed and wiped in this turn whatever the time.
      if (isTurnOver && opened.length >= ahead.length) break;
    }
    return opened.map(({ request, plaintext }) => {
      if (!request.ok) return request;
      if (!plaintext.ok) return plaintext;
      return parts.sealers.seal(plaintext.value, request.value.recipient, request.value.purpose);
    });
  };
}
