import { randomBytes } from 'node:crypto';
import { wrappingCurveOf } from '../../hosts/value-wrapping.ts';
import { secretPurpose } from '../../sealing/schema.ts';
import { isLabelOf } from '../../workflows/token-labels.ts';
import type { Effect } from '../../workflows/effects.ts';
import type { Failure, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import { pgpWordsOfHex } from '../../workflows/pgp-words.ts';
import type { SealedSecretValue, TokenDescription, TokenReference, WrappingKey } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { describeToken, logIn, tokensOfStore, withLogin } from './log-in.ts';
import { removeNamelessKeys } from './nameless-keys.ts';
import { encryptToWrappingKey, sha256Hex, tryWrapping } from './wrapping.ts';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

/** The serial that an effect names, or the one that this run's initialisation recorded. */
export function serialOf(context: StepContext, serial: string): string {
  const recorded = context.facts['serial'];
  return serial === '' && typeof recorded === 'string' ? recorded : serial;
}

export function evidenceOfKey(keyLabel: string, key: WrappingKey): Evidence {
  const curve = wrappingCurveOf(Buffer.from(key.publicKeySpki, 'base64'));
  return {
    keyLabel,
    keyId: key.id,
    ...(curve === undefined ? { modulusBits: key.modulusBits } : { curve }),
    publicKeySha256: key.publicKeySha256,
    publicKeyWords: pgpWordsOfHex(key.publicKeySha256).join(' '),
  };
}

/** The slot to initialise: the plan's, or a token that an interrupted attempt had erased and not given a PIN. */
interface Target {
  readonly slotId: number;
  readonly serial: string;
  readonly description: TokenDescription;
}

/**
 * What an earlier attempt of this run left. A token is known as this run's by what was there before it.
 * @returns 'finished' with the token, 'half' where the token was erased and has no user PIN, or undefined
 */
function lookForEarlierAttempt(
  context: StepContext,
  effect: EffectOf<'token.initialize'>,
  tokens: readonly TokenDescription[],
): { readonly state: 'finished' | 'half'; readonly token: TokenDescription } | undefined {
  if (context.noted['erasing'] !== true) return undefined;
  const before = String(context.noted['serialsBefore'] ?? '').split(',');
  const token = tokens.find(
    (candidate) =>
      candidate.initialized &&
      candidate.label === effect.label &&
      (effect.expectedSerial === '' ? !before.includes(candidate.serial) : candidate.serial === effect.expectedSerial),
  );
  if (token === undefined) return undefined;
  if (!token.userPinSet) return { state: 'half', token };
  // A token that kept serial and label cannot be told from its former self: it is erased once more.
  const changed =
    effect.expectedSerial === '' ||
    (context.plan.workflow === 'token-setup' && context.plan.currentLabel !== effect.label);
  return changed ? { state: 'finished', token } : undefined;
}

async function askPins(
  context: StepContext,
  effect: EffectOf<'token.initialize'>,
  target: Target,
  role: 'user' | 'so',
  problem: Failure<TokenFailureCode> | undefined,
): Promise<Result<SealedSecretValue>> {
  const { description } = target;
  const recipient = await context.ports.tokens.sealingPublicKey(effect.storeId);
  if (!recipient.ok) return recipient;
  const answer = await context.ports.prompt.askPin({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    act: `Initialise the token “${effect.label}”`,
    tokenLabel: effect.label,
    tokenSerial: target.serial,
    role,
    isNew: role === 'user' || !description.initialized,
    minimumLength: description.pinLengthMinimum,
    maximumLength: description.pinLengthMaximum,
    pinState: role === 'so' ? description.soPinState : 'ok',
    problem: problem?.message ?? '',
    failedWith: problem,
    recipient: recipient.value,
    // '' for a token that has no serial yet: the token host names the same.
    purpose: role === 'so' ? secretPurpose.soPin(target.serial) : secretPurpose.pin(target.serial),
  });
  return answer.ok ? success(answer.value.sealed) : answer;
}

export async function initializeToken(context: StepContext, effect: EffectOf<'token.initialize'>): EffectResult {
  const tokens = await tokensOfStore(context, effect.storeId);
  if (!tokens.ok) return tokens;
  const earlier = lookForEarlierAttempt(context, effect, tokens.value);
  if (earlier?.state === 'finished') {
    return foundDone({ serial: earlier.token.serial, tokenLabel: earlier.token.label, slotId: earlier.token.slotId });
  }
  const description =
    earlier?.token ??
    tokens.value.find((token) =>
      effect.expectedSerial === ''
        ? token.slotId === effect.slotId && !token.initialized
        : token.serial === effect.expectedSerial,
    );
  if (description === undefined) {
    return failure(
      'Token_NotFound',
      'The token that was chosen is no longer there.',
      'Plug it in again or choose another one in a new run.',
      { slotId: effect.slotId },
    );
  }
  const target: Target = {
    slotId: description.slotId,
    serial: description.initialized ? description.serial : effect.expectedSerial,
    description,
  };
  if (tokens.value.some((token) => token.initialized && token.label === effect.label && token !== description)) {
    return failure(
      'Token_LabelInUse',
      `Another token here is called “${effect.label}” already.`,
      'Start a new run with another label, so that nobody takes one token for the other.',
    );
  }

  let soPin = await askPins(context, effect, target, 'so', undefined);
  if (!soPin.ok) return soPin;
  let pin = await askPins(context, effect, target, 'user', undefined);
  if (!pin.ok) return pin;
  const serialsBefore = context.noted['serialsBefore'] ?? tokens.value.map((token) => token.serial).join(',');
  const noted = await context.note({ erasing: true, serialsBefore });
  if (!noted.ok) return noted;
  for (;;) {
    const initialized = await context.ports.tokens.initializeToken({
      storeId: effect.storeId,
      slotId: target.slotId,
      expectedSerial: target.serial,
      label: effect.label,
      soPin: soPin.value,
      pin: pin.value,
    });
    if (initialized.ok) {
      return done({
        serial: initialized.value.serial,
        tokenLabel: initialized.value.label,
        slotId: initialized.value.slotId,
      });
    }
    const { error } = initialized;
    const aboutUserPin = error.code === 'Token_PinLengthInvalid' && error.details?.['role'] === 'user';
    if (error.code === 'Token_SoPinIncorrect' || (error.code === 'Token_PinLengthInvalid' && !aboutUserPin)) {
      soPin = await askPins(context, effect, target, 'so', error);
      if (!soPin.ok) return soPin;
    } else if (aboutUserPin) {
      pin = await askPins(context, effect, target, 'user', error);
      if (!pin.ok) return pin;
    } else {
      return initialized;
    }
  }
}

export async function readTokenBack(context: StepContext, effect: EffectOf<'token.read-back'>): EffectResult {
  const token = await describeToken(context, { storeId: effect.storeId, serial: serialOf(context, '') });
  if (!token.ok) return token;
  const { serial, label, reportedLabel, manufacturer, model, firmwareVersion, slotId, initialized, userPinSet } =
    token.value;
  if (!initialized || !isLabelOf(reportedLabel, effect.label)) {
    return failure(
      'Token_GeneralError',
      `The token was to be called “${effect.label}” and says that it is “${label}”.`,
      'Set it up again in a new run.',
      { serial },
    );
  }
  if (!userPinSet) {
    return failure(
      'Token_PinNotSet',
      'The token has been initialised, but its user PIN is not set.',
      'Set it up again in a new run.',
      { serial },
    );
  }
  return done({ serial, tokenLabel: label, manufacturer, model, firmwareVersion, slotId });
}

export async function logInToToken(context: StepContext, effect: EffectOf<'token.log-in'>): EffectResult {
  const serial = serialOf(context, effect.serial);
  const loggedIn = await logIn(context, { storeId: effect.storeId, serial }, effect.act);
  if (!loggedIn.ok) return loggedIn;
  return loggedIn.value.asked ? done({ serial }) : foundDone({ serial });
}

export async function generateKey(context: StepContext, effect: EffectOf<'token.generate-key'>): EffectResult {
  const token: TokenReference = { storeId: effect.storeId, serial: serialOf(context, effect.serial) };
  const present = await withLogin(context, token, () => context.ports.tokens.findWrappingKey(token, effect.keyLabel));
  if (present.ok) {
    if (context.noted['generating'] === true) return foundDone(evidenceOfKey(effect.keyLabel, present.value));
    return failure(
      'Token_KeyLabelInUse',
      `A key pair called “${effect.keyLabel}” is on this token already.`,
      'Use that key pair, or start a new run with another key label. bank-vaults cannot tell two pairs with one label apart.',
      { publicKeySha256: present.value.publicKeySha256 },
    );
  }
  if (present.error.code !== 'Token_KeyMissing') return present;
  const cleared = await removeNamelessKeys(context, token);
  if (!cleared.ok) return cleared;
  const noted = await context.note({ generating: true });
  if (!noted.ok) return noted;
  const made = await withLogin(context, token, () =>
    context.ports.tokens.generateKeyPair(token, effect.keyLabel, effect.keyKind),
  );
  return made.ok ? done({ ...evidenceOfKey(effect.keyLabel, made.value), ...cleared.value }) : made;
}

export async function verifyKey(context: StepContext, effect: EffectOf<'token.verify-key'>): EffectResult {
  const token: TokenReference = { storeId: effect.storeId, serial: serialOf(context, effect.serial) };
  const key = await withLogin(context, token, () => context.ports.tokens.findWrappingKey(token, effect.keyLabel));
  if (!key.ok) return key;
  const trial = randomBytes(32);
  const ciphertext = encryptToWrappingKey(key.value.publicKeySpki, trial);
  const verified = await withLogin(context, token, () =>
    context.ports.tokens.verifyDecrypt(token, effect.keyLabel, ciphertext, sha256Hex(trial)),
  );
  if (!verified.ok) return verified;
  if (!verified.value.matches) {
    return failure(
      'Token_KeyUnsuitable',
      'What the public half encrypted came back different from the token.',
      'Do not use this key pair. Start a new run with another key label.',
    );
  }
  const wrapping = await tryWrapping(context, token, effect.keyLabel);
  return wrapping.ok ? done({ ...evidenceOfKey(effect.keyLabel, key.value), ...wrapping.value }) : wrapping;
}
