/**
 * Entry of the token host: a process of its own that loads one PKCS#11 module, so that a library that
 * crashes or hangs takes nothing else along, and so that PINs and decrypted shares are in the clear here
 * and nowhere else. Requests are worked off one at a time, in order; see `protocol.ts`.
 *
 * Arguments: --module PATH. SOFTHSM2_CONF is read by the library from the environment.
 */
import {
  exitOnUncaughtErrors,
  keepMemoryOutOfCoreDumps,
  openParentPort,
  type ParentPort,
} from '../electron/hosts/parent-port.ts';
import { requestEnvelopeSchema, tokenHostArguments, type ReplyEnvelope, type RequestEnvelope } from './protocol.ts';
import type { TokenResult } from './pkcs11/return-values.ts';
import { createTokenService, type TokenService } from './token-service.ts';

/** sysexits.h: EX_USAGE. */
const usageError = 64;

/** How long a closed host may take to flush its last reply before it ends, in milliseconds. */
const flushMilliseconds = 50;

/** How many replies one message carries at most, and how long the first of them is kept back, in milliseconds. */
const repliesHeld = 32;
const holdMilliseconds = 25;

/** Replies to requests that took longer leave at once. */
const quickMilliseconds = 5;

/** How long quick decrypts may follow one another before replies leave and new requests come in. */
const turnMilliseconds = 10;

function serve(port: ParentPort, service: TokenService): void {
  const queue: RequestEnvelope[] = [];
  let working = false;
  let held: ReplyEnvelope[] = [];
  let heldSince = 0;
  const flush = (): void => {
    if (held.length > 0) port.postMessage(held);
    held = [];
  };
  /** Keeps the reply back while more quick decrypts follow: one message to the parent costs a tenth of a decrypt. */
  const reply = (id: number, result: TokenResult<unknown>, tookMilliseconds: number): void => {
    if (held.length === 0) heldSince = performance.now();
    held.push(result.ok ? { id, ok: true, value: result.value } : { id, ok: false, error: result.error });
    const mayWait = queue[0]?.method === 'decrypt' && tookMilliseconds < quickMilliseconds;
    if (!mayWait || held.length >= repliesHeld || performance.now() - heldSince >= holdMilliseconds) flush();
  };

  async function workOff(): Promise<void> {
    let turnBegan = performance.now();
    for (let request = queue.shift(); request !== undefined; request = queue.shift()) {
      const { id, method, body } = request;
      const begun = performance.now();
      const result = await service.answer(method, body);
      reply(id, result, performance.now() - begun);
      if (method === 'close') setTimeout(() => process.exit(0), flushMilliseconds);
      // Lets replies leave and requests arrive between two blocking calls.
      if (queue[0]?.method !== 'decrypt' || performance.now() - turnBegan >= turnMilliseconds) {
        await new Promise((resolve) => setImmediate(resolve));
        turnBegan = performance.now();
      }
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
  keepMemoryOutOfCoreDumps();
  const modulePath = process.argv[process.argv.indexOf(tokenHostArguments.modulePath) + 1];
  const port = openParentPort();
  if (!process.argv.includes(tokenHostArguments.modulePath) || modulePath === undefined || port === undefined) {
    process.exit(usageError);
  }
  serve(port, createTokenService(modulePath));
}

main();
