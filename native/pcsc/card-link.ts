/**
 * One card, held for one piece of work: connected shared, in one transaction, so that no other program's command
 * comes in between, and let go afterwards as it is, without a reset that would end other programs' logins.
 */
import type { Card, Reader, Transaction } from 'pcsc-mini';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfPcscError, goneWithoutError, heldByAnother, silent } from './failures.ts';
import type { PcscLibrary } from './library.ts';

export interface CardLink {
  readonly readerName: string;
  /** What the card said of itself when it was powered on. */
  readonly answerToReset: Buffer;
  /**
   * Sends one command APDU and answers the response APDU, status word included.
   * Failures: Token_Gone, Token_SessionLost, Device_CardFault (silent past the deadline), Device_PcscUnavailable.
   * @param command the caller wipes it where it holds a secret
   */
  transmit(command: Uint8Array, deadlineMilliseconds?: number): Promise<TokenResult<Buffer>>;
}

const seconds = 1000;
/** Most commands take 10 to 40 ms. */
const usualDeadline = 10 * seconds;
/** Another program's transaction is over in well under a second, unless it hangs or means to keep the card. */
const transactionDeadline = 5 * seconds;
const connectDeadline = 5 * seconds;

/** The longest answer of a card: 65,536 bytes and a status word. Wrapped keys, the longest here, have less than 4 kB. */
const answerBytes = 8 * 1024;

const lateMark = Symbol('late');

/** The value, or undefined where it did not come in time; what comes too late is handed to `late`. */
async function within<Value>(
  work: Promise<Value>,
  milliseconds: number,
  late: (value: Value) => void = () => undefined,
): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<typeof lateMark>((resolve) => {
    timer = setTimeout(resolve, milliseconds, lateMark);
  });
  const first = await Promise.race([work, tooLate]).finally(() => clearTimeout(timer));
  if (first !== lateMark) return first;
  // Its failure, too, comes too late to matter.
  work.then(late, () => undefined);
  return undefined;
}

/**
 * Connects, works and lets go. Failures besides those of the work: Device_ReaderInUse, Token_Gone,
 * Device_PcscUnavailable, Device_CardFault.
 */
export async function withCard<Value>(
  pcsc: PcscLibrary,
  reader: Reader,
  work: (link: CardLink) => Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  const { CardDisposition, CardMode } = pcsc;
  let card: Card | undefined;
  let transaction: Transaction | undefined;
  /** A command is without an answer: nothing more can be asked of a card that hangs. */
  const fate = { hangs: false };
  const letGo = (connected: Card): void => {
    connected.disconnect(CardDisposition.LEAVE).catch(() => undefined);
  };
  try {
    const connected = await within(reader.connect(CardMode.SHARED), connectDeadline, letGo);
    if (connected === undefined) return silent(connectDeadline);
    card = connected;
    transaction = await within(connected.transaction(), transactionDeadline, (late) => {
      late.end(CardDisposition.LEAVE).then(
        () => letGo(connected),
        () => letGo(connected),
      );
    });
    if (transaction === undefined) {
      card = undefined;
      return heldByAnother(transactionDeadline);
    }
    const { atr } = await connected.state();
    return await work({
      readerName: reader.name(),
      answerToReset: Buffer.from(atr),
      transmit: async (command, deadlineMilliseconds = usualDeadline) => {
        try {
          const answer = await within(connected.transmit(command, new ArrayBuffer(answerBytes)), deadlineMilliseconds);
          if (answer === undefined) {
            fate.hangs = true;
            return silent(deadlineMilliseconds);
          }
          // What pcscd answers for a card that was pulled out while it worked is empty.
          if (answer.length < 2) return goneWithoutError();
          return success(Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
        } catch (cause) {
          return failureOfPcscError(cause);
        }
      },
    });
  } catch (cause) {
    return failureOfPcscError(cause);
  } finally {
    if (!fate.hangs) {
      // A card that is gone, or a service that has ended, needs no letting go.
      await transaction?.end(CardDisposition.LEAVE).catch(() => undefined);
      await card?.disconnect(CardDisposition.LEAVE).catch(() => undefined);
    }
  }
}
