import { randomInt } from 'node:crypto';
import { sealSecret } from '../sealing/sealed.ts';
import { failure, success } from '../workflows/failures.ts';
import type { PromptPort } from '../workflows/ports.ts';

export interface RehearsalPrompt extends PromptPort {
  wipe(): void;
}

const zero = 0x30;

/** Random decimal digits, at least eight where the token allows. */
function randomDigits(minimum: number, maximum: number): Uint8Array<ArrayBuffer> {
  const digits = new Uint8Array(Math.min(Math.max(8, minimum), maximum));
  for (let index = 0; index < digits.length; index += 1) digits[index] = zero + randomInt(10);
  return digits;
}

/**
 * Answers for the person in a rehearsal: makes an SO-PIN and a PIN when they are first asked for and gives
 * the same ones again. They guard a test token that is thrown away with the rehearsal, so this process may
 * hold them; it asks nobody and shows none.
 */
export function createRehearsalPrompt(): RehearsalPrompt {
  const pins = new Map<'user' | 'so', Uint8Array<ArrayBuffer>>();
  const refused = async (): Promise<ReturnType<typeof failure<'App_BadRequest'>>> =>
    Promise.resolve(
      failure(
        'App_BadRequest',
        'A rehearsal in the terminal keeps every share on its token and asks for no share or password.',
        'Rehearse the hand-out of shares in the window, or with custodian vault init --share-to shown:NAME on a test server.',
      ),
    );
  return {
    askPin: async (request) => {
      if (!request.rehearsal) {
        return failure(
          'App_BadRequest',
          'This token is not the rehearsal’s.',
          'Nothing was sent. Report this: a rehearsal should not have asked.',
        );
      }
      const pin = pins.get(request.role) ?? randomDigits(request.minimumLength, request.maximumLength);
      pins.set(request.role, pin);
      return success({
        sealed: await sealSecret(request.recipient, pin.slice(), request.purpose),
        consentToLastTry: false,
      });
    },
    askPassword: refused,
    askShare: refused,
    handOut: refused,
    wipe: () => {
      for (const pin of pins.values()) pin.fill(0);
      pins.clear();
    },
  };
}
