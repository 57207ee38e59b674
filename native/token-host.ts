/**
 * Entry of the token host: a process of its own that loads one PKCS#11 module, so that a library that
 * crashes or hangs takes nothing else along, and so that PINs and decrypted shares are in the clear here
 * and nowhere else. Requests are worked off one at a time, in order; see `protocol.ts`.
 *
 * Arguments: --module PATH. SOFTHSM2_CONF is read by the library from the environment.
 */
import {
  collectGarbageAtOnce,
  exitOnUncaughtErrors,
  keepMemoryOutOfCoreDumps,
  openParentPort,
  type ParentPort,
} from '../electron/hosts/parent-port.ts';
import { decryptsInTurn } from './decrypt-in-turn.ts';
import { requestEnvelopeSchema, tokenHostArguments, type ReplyEnvelope, type RequestEnvelope } from './protocol.ts';
import type { TokenResult } from './pkcs11/return-values.ts';
import { createTokenService, type TokenService } from './token-service.ts';

/** sysexits.h: EX_USAGE. */
const usageError = 64;

/** How long a closed host may take to flush its last reply before it ends, in milliseconds. */
const flushMilliseconds = 50;

function serve(port: ParentPort, service: TokenService): void {
  const queue: RequestEnvelope[] = [];
  let working = false;

  /** One message for all of them: to the parent each costs a tenth of a quick decrypt. */
  const reply = (requests: readonly RequestEnvelope[], results: readonly TokenResult<unknown>[]): void => {
    const replies = results.flatMap((result, index): ReplyEnvelope[] => {
      const id = requests[index]?.id;
      if (id === undefined) return [];
      return [result.ok ? { id, ok: true, value: result.value } : { id, ok: false, error: result.error }];
    });
    const [only] = replies;
    if (replies.length === 1 && only !== undefined) port.postMessage(only);
    else port.postMessage(replies);
  };

  /** Answers the first request, and with it the decrypts that follow a first decrypt, as many as fit into a turn. */
  async function takeTurn(first: RequestEnvelope): Promise<void> {
    if (first.method !== 'decrypt') {
      queue.shift();
      reply([first], [await service.answer(first.method, first.body)]);
      if (first.method === 'close') setTimeout(() => process.exit(0), flushMilliseconds);
      return;
    }
    const others = queue.slice(0, decryptsInTurn).findIndex(({ method }) => method !== 'decrypt');
    const decrypts = queue.slice(0, others === -1 ? decryptsInTurn : others);
    const results = await service.decryptInTurn(decrypts.map(({ body }) => body));
    queue.splice(0, results.length);
    reply(decrypts, results);
  }

  async function workOff(): Promise<void> {
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      await takeTurn(first);
      // Lets replies leave and requests arrive between two blocking calls.
      await new Promise((resolve) => setImmediate(resolve));
    }
    working = false;
  }

  port.onMessage((message) => {
    const parsed = requestEnvelopeSchema.safeParse(message);
    // The parent sends nothing else; a message without an id cannot be answered.
    if (!parsed.success) return;
    queue.push(parsed.data);
    if (working) return;
    working = true;
    void workOff();
  });
  const ready: ReplyEnvelope = { signal: 'ready' };
  port.postMessage(ready);
}

function main(): void {
  exitOnUncaughtErrors();
  collectGarbageAtOnce();
  keepMemoryOutOfCoreDumps();
  const modulePath = process.argv[process.argv.indexOf(tokenHostArguments.modulePath) + 1];
  const port = openParentPort();
  if (!process.argv.includes(tokenHostArguments.modulePath) || modulePath === undefined || port === undefined) {
    process.exit(usageError);
  }
  serve(port, createTokenService(modulePath));
}

main();
