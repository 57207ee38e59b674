/**
 * Logging in to a token: the PIN is asked through the prompt port, sealed there to the token host, and
 * asked again with what was wrong until it is right or the person closes the prompt.
 */
import { secretPurpose } from '../../sealing/schema.ts';
import type { Failure, FailureCode, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { TokenDescription, TokenReference } from '../../workflows/ports.ts';
import type { StepContext } from './context.ts';
import { failed } from './context.ts';

const nameOf = (token: TokenReference): string => `${token.storeId} ${token.serial}`;

/** Whether this token was seen logged in since the button was pressed. */
export const wasSeenLoggedIn = (context: StepContext, token: TokenReference): boolean =>
  context.seen.loggedIn.has(nameOf(token));

/** Where every login of a store ends, because its library is started anew: the next act that needs one logs in. */
export function forgetLogins(context: StepContext, storeId: string): void {
  for (const name of [...context.seen.loggedIn]) {
    if (name.startsWith(`${storeId} `)) context.seen.loggedIn.delete(name);
  }
}

/** The tokens of one store. Token_NotFound where there is no such store. */
export async function tokensOfStore(
  context: StepContext,
  storeId: string,
): Promise<Result<readonly TokenDescription[]>> {
  const [entry] = await context.ports.tokens.listTokens(storeId);
  return (
    entry?.result ??
    failure(
      'Token_NotFound',
      'The token’s module is no longer among the known ones.',
      'Add the module again under Devices, then go on.',
    )
  );
}

/** Which one is there in its place, for whoever plugged in the wrong one; '' for none, or where several are. */
function otherInWords(others: readonly TokenDescription[]): string {
  const [other, ...more] = others.filter(({ serial }) => serial !== '');
  if (other === undefined || more.length > 0) return '';
  return ` Another one is: serial ${other.serial}. Nothing was sent to it.`;
}

/** A token as it is now. Token_NotFound where it is not plugged in. */
export async function describeToken(context: StepContext, token: TokenReference): Promise<Result<TokenDescription>> {
  const tokens = await tokensOfStore(context, token.storeId);
  if (!tokens.ok) return tokens;
  const found = tokens.value.find((candidate) => candidate.serial === token.serial);
  return found === undefined
    ? failure(
        'Token_NotFound',
        `The token with serial ${token.serial} is not there.${otherInWords(tokens.value)}`,
        'Plug it in, wait until it is listed, and go on.',
        { serial: token.serial },
      )
    : success(found);
}

const askedAgain: ReadonlySet<FailureCode> = new Set([
  'Token_PinIncorrect',
  'Token_PinLengthInvalid',
  'Token_PinLastTry',
]);

/**
 * Logs in unless the token is logged in already.
 * @param act what the PIN is for, as the prompt says it
 * @returns whether a PIN was asked for
 */
export async function logIn(
  context: StepContext,
  token: TokenReference,
  act: string,
): Promise<Result<{ readonly asked: boolean }>> {
  let problem: Failure<TokenFailureCode> | undefined;
  for (;;) {
    const description = await describeToken(context, token);
    if (!description.ok) return description;
    if (description.value.loggedIn) {
      context.seen.loggedIn.add(nameOf(token));
      return success({ asked: problem !== undefined });
    }
    const recipient = await context.ports.tokens.sealingPublicKey(token.storeId);
    if (!recipient.ok) return recipient;
    const answer = await context.ports.prompt.askPin({
      runId: context.runId,
      rehearsal: context.plan.rehearsal,
      act,
      tokenLabel: description.value.label,
      tokenSerial: token.serial,
      role: 'user',
      isNew: false,
      minimumLength: description.value.pinLengthMinimum,
      maximumLength: description.value.pinLengthMaximum,
      pinState: problem?.code === 'Token_PinLastTry' ? 'final-try' : description.value.userPinState,
      problem: problem?.message ?? '',
      failedWith: problem,
      recipient: recipient.value,
      purpose: secretPurpose.pin(token.serial),
    });
    if (!answer.ok) return answer;
    const loggedIn = await context.ports.tokens.login(token, answer.value.sealed, answer.value.consentToLastTry);
    if (loggedIn.ok) {
      context.seen.loggedIn.add(nameOf(token));
      return success({ asked: true });
    }
    if (!askedAgain.has(loggedIn.error.code)) return loggedIn;
    problem = loggedIn.error;
  }
}

/** Runs before an act that needs a login: after a lock, a crash or a restart the PIN is asked again, and the journal says so. */
export async function ensureLoggedIn(
  context: StepContext,
  token: TokenReference,
): Promise<Result<Record<string, never>>> {
  if (context.seen.loggedIn.has(nameOf(token))) return success({});
  const { loggingIn } = context.seen;
  const underWay = loggingIn.get(nameOf(token));
  if (underWay !== undefined) {
    const joined = await underWay;
    return joined.ok ? success({}) : joined;
  }
  const asking = logInAgain(context, token).finally(() => loggingIn.delete(nameOf(token)));
  loggingIn.set(nameOf(token), asking);
  const loggedIn = await asking;
  return loggedIn.ok ? success({}) : loggedIn;
}

async function logInAgain(context: StepContext, token: TokenReference): Promise<Result<{ readonly asked: boolean }>> {
  const loggedIn = await logIn(context, token, `Log in again: ${context.definition.title}`);
  if (!loggedIn.ok || !loggedIn.value.asked) return loggedIn;
  const noted = await context.note({ loggedInAgain: true });
  return noted.ok ? loggedIn : noted;
}

/** Does something that needs a login, and once more after logging in again where the session was lost on the way. */
export async function withLogin<Value>(
  context: StepContext,
  token: TokenReference,
  act: () => Promise<Result<Value>>,
): Promise<Result<Value>> {
  const ready = await ensureLoggedIn(context, token);
  if (!ready.ok) return failed(ready.error);
  const first = await act();
  if (first.ok || (first.error.code !== 'Token_NotLoggedIn' && first.error.code !== 'Token_SessionLost')) return first;
  context.seen.loggedIn.delete(nameOf(token));
  // A card can have forgotten a login that its library still counts on. A session that is gone already needs no end.
  if (first.error.code === 'Token_SessionLost') await context.ports.tokens.logout(token);
  const again = await ensureLoggedIn(context, token);
  return again.ok ? act() : failed(again.error);
}
