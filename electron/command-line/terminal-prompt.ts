import { createSealingKeyPair, openSecret, sealSecret } from '../sealing/sealed.ts';
import { failure, success } from '../workflows/failures.ts';
import type { AppFailureCode, Failure, Result } from '../workflows/failures.ts';
import type { PromptPort } from '../workflows/ports.ts';
import { fromDescriptor } from './descriptor-answers.ts';
import type { Secret } from './descriptor-answers.ts';
import { cancelled, createDialogue } from './dialogue.ts';
import type { Dialogue } from './dialogue.ts';
import { printable } from './printable.ts';
import type { SecretLines } from './secret-lines.ts';
import { isPieceText, squeeze } from './secret-text.ts';
import { newSoPin, soPinFromDescriptor, typedSoPin } from './so-pin-question.ts';
import type { Style } from './style.ts';
import type { Terminal } from './terminal.ts';

export interface TerminalPromptOptions {
  /** undefined where there is no terminal: then every secret comes from a descriptor. */
  readonly terminal: Terminal | undefined;
  readonly style: Style;
  readonly pinLines: SecretLines | undefined;
  readonly soPinLines: SecretLines | undefined;
  readonly shareLines: SecretLines | undefined;
  /** Passwords of DKEK shares and pieces of them, one a line. */
  readonly dkekLines: SecretLines | undefined;
  /** --consent-to-last-try: a script's consent to send a PIN when one try is left. */
  readonly consentToLastTry: boolean;
  /** Called before the terminal is written to and after: a spinner must not draw over a question. */
  readonly pause: () => void;
  readonly resume: () => void;
}

type PinRequest = Parameters<PromptPort['askPin']>[0];
type PasswordRequest = Parameters<PromptPort['askPassword']>[0];

/** What comes from --pin-fd like a PIN, and not from --dkek-fd: values for a Secret, which are PINs mostly, and Vault tokens. */
const comesLikePins = ({ form }: PasswordRequest): boolean => form === 'secret-value' || form === 'vault-token';

const noTerminal = (what: string, instead: string): { readonly ok: false; readonly error: Failure<'App_BadRequest'> } =>
  failure('App_BadRequest', `There is no terminal on which to ${what}.`, instead);

function subjectOf({ tokenLabel, tokenSerial, form }: PinRequest | PasswordRequest): string {
  if (form === 'secret-value') return 'A Secret in the cluster';
  return form === 'vault-token'
    ? `Vault “${tokenLabel}”`
    : `Token “${tokenLabel}”, serial ${tokenSerial || 'none yet'}`;
}

/**
 * The prompt of a terminal: PINs, passwords and shares are typed on /dev/tty or read from a file descriptor,
 * sealed to the host that needs them and wiped. A share is shown on the terminal only, never on a pipe.
 */
export function createTerminalPrompt(options: TerminalPromptOptions): PromptPort {
  const { style } = options;
  const dialogue = options.terminal === undefined ? undefined : createDialogue(options.terminal, style);

  async function consent(on: Dialogue, name: string): Promise<boolean> {
    const { terminal } = on;
    terminal.write(
      `${style.red('One try is left.')} If this ${name} is wrong, the token locks.\r\nType ${style.bold('last try')} to go on: `,
    );
    const line = await terminal.readLine('characters');
    if (line.kind !== 'line') return false;
    return new TextDecoder().decode(line.bytes).trim().toLowerCase() === 'last try';
  }

  /** Runs one question with the spinner out of the way. */
  async function asking<Value>(question: () => Promise<Value>): Promise<Value> {
    options.pause();
    try {
      return await question();
    } finally {
      options.resume();
    }
  }

  async function newPin(on: Dialogue, name: string, minimum: number, maximum: number): Promise<Secret> {
    const range = `${String(minimum)} to ${String(maximum)} characters`;
    return on.typedTwice(`New ${name} (${range}):`, `The same ${name} again:`, ({ length }) =>
      length < minimum || length > maximum ? `A ${name} of this token has ${range}.` : '',
    );
  }

  /** A PIN typed by a person, in bytes, with the consent where one try is left. */
  async function typedPin(
    on: Dialogue,
    request: PinRequest,
    name: string,
    isFinalTry: boolean,
  ): Promise<{ readonly secret: Awaited<ReturnType<typeof newSoPin>>; readonly consentToLastTry: boolean }> {
    on.head({ ...request, subject: subjectOf(request) });
    let consentToLastTry = false;
    if (isFinalTry) {
      consentToLastTry = options.consentToLastTry || (await consent(on, name));
      if (!consentToLastTry) return { secret: cancelled(), consentToLastTry };
    } else if (request.pinState === 'count-low' && !request.isNew) {
      on.say(`${style.yellow('A wrong PIN was given before.')} The token counts the tries.`);
    }
    if (request.form === 'hex16') {
      const token = `token “${request.tokenLabel}”, serial ${request.tokenSerial}`;
      return { secret: await (request.isNew ? newSoPin(on, token) : typedSoPin(on)), consentToLastTry };
    }
    const secret = request.isNew
      ? await newPin(on, name, request.minimumLength, request.maximumLength)
      : await on.typed(`${name}:`, 'none');
    return { secret, consentToLastTry };
  }

  const askPin: PromptPort['askPin'] = async (request) =>
    asking(async () => {
      const name = request.role === 'so' ? 'SO-PIN' : 'PIN';
      const lines = request.role === 'so' ? options.soPinLines : options.pinLines;
      const isFinalTry = request.pinState === 'final-try' && !request.isNew;
      let secret: Awaited<ReturnType<typeof newSoPin>>;
      let consentToLastTry = false;
      if (lines !== undefined) {
        // The next line is for another question: a script never spends a try on a guess.
        if (request.failedWith !== undefined) return { ok: false, error: request.failedWith };
        consentToLastTry = isFinalTry && options.consentToLastTry;
        secret =
          request.form === 'hex16'
            ? await soPinFromDescriptor(lines, request.isNew)
            : await fromDescriptor(lines, `the ${name}`);
      } else if (dialogue === undefined) {
        return noTerminal(
          `ask for the ${name}`,
          `Run this in a terminal, or hand the ${name} over with ${request.role === 'so' ? '--so-pin-fd' : '--pin-fd'} N.`,
        );
      } else ({ secret, consentToLastTry } = await typedPin(dialogue, request, name, isFinalTry));
      if (!secret.ok) return secret;
      return success({ sealed: await sealSecret(request.recipient, secret.value, request.purpose), consentToLastTry });
    });

  /** What is wrong with a password or a piece, '' for nothing. */
  const complaintAboutPassword = (request: PasswordRequest, secret: Uint8Array): string => {
    if (request.form === 'piece') {
      return isPieceText(secret) ? '' : 'A piece is made of hexadecimal digits: 0 to 9 and a to f.';
    }
    return request.isNew && secret.length < request.minimumLength
      ? `It needs at least ${String(request.minimumLength)} characters.`
      : '';
  };

  async function typedPassword(on: Dialogue, request: PasswordRequest): Promise<Secret> {
    on.head({
      ...request,
      subject: `${subjectOf(request)}${request.custodian === '' ? '' : ` - ${request.custodian} types`}`,
    });
    const what = printable(request.what);
    const echo = request.form === 'piece' ? 'dots' : 'none';
    if (request.isNew) {
      return on.typedTwice(
        `${what} (at least ${String(request.minimumLength)} characters):`,
        'The same again:',
        (secret) => complaintAboutPassword(request, secret),
        echo,
      );
    }
    for (;;) {
      const secret = await on.typed(`${what}:`, echo);
      if (!secret.ok) return secret;
      const complaint = complaintAboutPassword(request, secret.value);
      if (complaint === '') return secret;
      secret.value.fill(0);
      on.complain(complaint);
    }
  }

  const askPassword: PromptPort['askPassword'] = async (request) =>
    asking(async () => {
      const isLikePin = comesLikePins(request);
      const lines = isLikePin ? options.pinLines : options.dkekLines;
      let secret: Secret;
      if (lines !== undefined) {
        // The next line is for another question.
        if (request.failedWith !== undefined) return { ok: false, error: request.failedWith };
        secret = await fromDescriptor(lines, 'the password');
        const complaint = secret.ok ? complaintAboutPassword(request, secret.value) : '';
        if (secret.ok && complaint !== '') {
          secret.value.fill(0);
          return failure('App_BadRequest', `${request.what}: ${complaint}`, 'Nothing was sent. Continue with another.');
        }
      } else if (dialogue === undefined) {
        return noTerminal(
          `ask for: ${request.what}`,
          isLikePin
            ? 'Run this in a terminal, or hand it over with --pin-fd N, one a line.'
            : 'Run this in a terminal, or hand passwords and pieces over with --dkek-fd N, one a line.',
        );
      } else secret = await typedPassword(dialogue, request);
      return secret.ok ? success(await sealSecret(request.recipient, secret.value, request.purpose)) : secret;
    });

  const askShare: PromptPort['askShare'] = async (request) =>
    asking(async () => {
      let secret: Secret;
      if (options.shareLines !== undefined && request.problem !== '')
        return failure(
          'App_BadRequest',
          request.problem,
          'Continue the run with the right shares, in the order of the questions.',
        );
      if (options.shareLines !== undefined) secret = await fromDescriptor(options.shareLines, 'the key share');
      else if (dialogue === undefined)
        return noTerminal(
          'ask for the key share',
          'Run this in a terminal, or hand the shares over with --share-fd N, one a line.',
        );
      else {
        dialogue.head({ ...request, subject: `Vault “${request.vaultName}”` });
        secret = await dialogue.typed('Key share:', 'dots');
      }
      if (!secret.ok) return secret;
      const share = secret.value.slice(0, squeeze(secret.value));
      secret.value.fill(0);
      return success(await sealSecret(request.recipient, share, request.purpose));
    });

  const handOut: PromptPort['handOut'] = async (request) =>
    asking(async (): Promise<Result<{ readonly confirmed: true }, AppFailureCode>> => {
      if (dialogue === undefined) {
        return noTerminal(
          'show a key share to a custodian',
          'A share is never written to a pipe or file. Continue the run in a terminal.',
        );
      }
      // '' for what belongs to no Vault, such as a piece of a DKEK share's password.
      const place = request.vaultName === '' ? '' : `Vault “${request.vaultName}”`;
      dialogue.head({
        rehearsal: request.rehearsal,
        act: `${request.custodian}: take ${request.label}`,
        subject: place,
        problem: '',
      });
      dialogue.terminal.write(
        `Only ${printable(request.custodian)} may see the screen now. Press Enter when alone with it. `,
      );
      const ready = await dialogue.terminal.readLine('none');
      if (ready.kind === 'cancelled') return cancelled();
      const pair = await createSealingKeyPair();
      const sealed = await request.sealTo(pair.publicKey);
      if (!sealed.ok) {
        return failure('App_HostUnavailable', sealed.error.message, sealed.error.next, { cause: sealed.error.code });
      }
      const value = await openSecret(pair, sealed.value, request.purpose);
      if (value === undefined) {
        return failure(
          'App_Internal',
          'The share that came back was not sealed to this terminal.',
          'Continue the run to ask for it again.',
        );
      }
      try {
        return await dialogue.takeBack({
          bytes: value,
          heading: `${printable(request.label)}${place === '' ? '' : ` of ${printable(place)}`} for ${printable(request.custodian)}`,
          name: 'share',
          hexadecimal: false,
          next: 'Continue the run to be shown it again; the share is not lost.',
        });
      } finally {
        value.fill(0);
      }
    });

  return { askPin, askPassword, askShare, handOut };
}
