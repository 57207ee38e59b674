/**
 * Encrypting bank-vaults' values under another key. Whatever moment the program ends at, every value is on the
 * token or in the run's escrow on disk: the escrow is whole before the first object is deleted, and goes when
 * every new object has been read back and compared.
 */
import type { CareEffect } from '../../workflows/care-effects.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { Escrow, EscrowEntry, TokenReference, WrappingKey } from '../../workflows/ports.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { objectsOf } from './care-objects.ts';
import { withLogin } from './log-in.ts';
import { evidenceOfKey, generateKey } from './token-setup.ts';
import { sameBytes, sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends CareEffect['kind']> = Extract<CareEffect, { kind: Kind }>;

const findKey = (context: StepContext, token: TokenReference, label: string): Promise<Result<WrappingKey>> =>
  withLogin(context, token, () => context.ports.tokens.findWrappingKey(token, label));

export async function ensureKey(context: StepContext, effect: EffectOf<'values.ensure-key'>): EffectResult {
  const { token, fromKeyLabel, keyLabel, keyKind } = effect;
  if (fromKeyLabel === keyLabel) {
    return failure(
      'Token_KeyLabelInUse',
      `The new key has the old one’s label “${keyLabel}”.`,
      'Start a new run with another label for the new key: bank-vaults cannot tell two pairs with one label apart.',
      { label: keyLabel },
    );
  }
  const old = await findKey(context, token, fromKeyLabel);
  if (!old.ok) return old;
  const present = await findKey(context, token, keyLabel);
  if (present.ok) return foundDone(evidenceOfKey(keyLabel, present.value));
  if (present.error.code !== 'Token_KeyMissing') return present;
  const { storeId, serial } = token;
  return generateKey(context, { kind: 'token.generate-key', storeId, serial, keyLabel, keyKind });
}

/** This run's escrow, which holds every one of these values under this key. Custody_EscrowMissing, Custody_EscrowDamaged. */
async function getEscrow(context: StepContext, labels: readonly string[]): Promise<Result<Escrow>> {
  const read = await context.ports.escrow.read(context.runId);
  if (!read.ok) return read;
  if (read.value === undefined) {
    return failure(
      'Custody_EscrowMissing',
      'The encrypted copy of the values is not on disk any more.',
      'Put the run’s escrow.json back from a backup: a value that is on the token neither in its old nor in its new form is in that file alone.',
    );
  }
  const { entries } = read.value;
  const lacking = labels.filter((label) => !entries.some((entry) => entry.label === label));
  return lacking.length === 0
    ? success(read.value)
    : failure(
        'Custody_EscrowDamaged',
        `The encrypted copy on disk holds no ${lacking.join(', ')}.`,
        'Keep the file and do not abandon this run.',
        { labels: lacking.join(', ') },
      );
}

const evidenceOfEscrow = ({ publicKeySha256, entries }: Escrow) => ({
  labels: entries.map(({ label }) => label).join(' '),
  publicKeySha256,
});

/** One value in its old and its new form. Nothing on the token changes. */
async function rewrapOne(
  context: StepContext,
  { token, fromKeyLabel, toKeyLabel }: EffectOf<'values.rewrap-to-escrow'>,
  label: string,
): Promise<Result<EscrowEntry>> {
  const { tokens, objects } = context.ports;
  const previous = await withLogin(context, token, () => tokens.readData(token, label));
  if (!previous.ok) return previous;
  const rewrapped = await withLogin(context, token, () =>
    objects.rewrapValue(token, { label, sha256: sha256Hex(previous.value) }, fromKeyLabel, toKeyLabel),
  );
  if (!rewrapped.ok) return rewrapped;
  const { ciphertext, ciphertextSha256 } = rewrapped.value;
  if (sha256Hex(ciphertext) !== ciphertextSha256) {
    return failure('Token_GeneralError', `${label} was damaged on its way from the token.`, 'Press the button again.', {
      label,
    });
  }
  return success({
    label,
    tokenCiphertext: Buffer.from(ciphertext).toString('base64'),
    pgpMessage: '',
    previousCiphertext: Buffer.from(previous.value).toString('base64'),
  });
}

export async function rewrapToEscrow(context: StepContext, effect: EffectOf<'values.rewrap-to-escrow'>): EffectResult {
  const { token, toKeyLabel, labels } = effect;
  const { escrow } = context.ports;
  const present = await escrow.read(context.runId);
  if (!present.ok) return present;
  if (present.value !== undefined) {
    const whole = await getEscrow(context, labels);
    return whole.ok ? foundDone(evidenceOfEscrow(whole.value)) : whole;
  }
  const key = await findKey(context, token, toKeyLabel);
  if (!key.ok) return key;
  const entries: EscrowEntry[] = [];
  for (const label of labels) {
    const entry = await rewrapOne(context, effect, label);
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  const after = await findKey(context, token, toKeyLabel);
  if (!after.ok) return after;
  if (after.value.publicKeySha256 !== key.value.publicKeySha256) return keyChanged(toKeyLabel, after.value);
  const copy: Escrow = {
    runId: context.runId,
    vaultAddress: '',
    publicKeySha256: key.value.publicKeySha256,
    entries,
  };
  const written = await escrow.write(copy);
  if (!written.ok) return written;
  const readBack = await getEscrow(context, labels);
  if (!readBack.ok) return readBack;
  const same = entries.every(({ label, tokenCiphertext }) =>
    readBack.value.entries.some((entry) => entry.label === label && entry.tokenCiphertext === tokenCiphertext),
  );
  return same
    ? done(evidenceOfEscrow(readBack.value))
    : failure(
        'Custody_EscrowDamaged',
        'The encrypted copy on disk reads back other than it was written.',
        'Look at the disk. Nothing on the token was changed.',
      );
}

const keyChanged = (keyLabel: string, { publicKeySha256 }: WrappingKey) =>
  failure(
    'Token_KeyUnsuitable',
    `The key “${keyLabel}” is not the one that the values were encrypted under.`,
    'Find out who changed the token. Do not abandon this run: its encrypted copy is on disk.',
    { publicKeySha256 },
  );

/** What the token holds of a value: its old form, its new one, none, or something else. */
type Held = 'previous' | 'new' | 'none' | 'other';

async function look(context: StepContext, token: TokenReference, entry: EscrowEntry): Promise<Result<Held>> {
  const { label, tokenCiphertext, previousCiphertext } = entry;
  const read = await withLogin(context, token, () => context.ports.tokens.readData(token, label));
  if (!read.ok) return read.error.code === 'Token_ObjectMissing' ? success('none') : read;
  if (sameBytes(read.value, Buffer.from(tokenCiphertext, 'base64'))) return success('new');
  const isPrevious =
    previousCiphertext !== undefined && sameBytes(read.value, Buffer.from(previousCiphertext, 'base64'));
  return success(isPrevious ? 'previous' : 'other');
}

/** Writes the new object where none is, and shows that the token kept it. */
async function write(
  context: StepContext,
  token: TokenReference,
  label: string,
  ciphertext: Buffer,
): Promise<Result<unknown>> {
  const { tokens } = context.ports;
  const written = await withLogin(context, token, () => tokens.writeData(token, label, ciphertext));
  if (!written.ok) return written;
  const readBack = await withLogin(context, token, () => tokens.readData(token, label));
  if (!readBack.ok) return readBack;
  return sameBytes(readBack.value, ciphertext)
    ? success({})
    : failure(
        'Token_ObjectNotKept',
        `${label} came back from the token other than it was written.`,
        'The token is not to be trusted. The value is safe on disk: do not abandon this run.',
        { label },
      );
}

export async function replaceValue(context: StepContext, effect: EffectOf<'value.replace'>): EffectResult {
  const { token, keyLabel, label } = effect;
  const escrow = await getEscrow(context, [label]);
  if (!escrow.ok) return escrow;
  const entry = escrow.value.entries.find((candidate) => candidate.label === label);
  if (entry === undefined) return failure('App_Internal', `${label} is not in the encrypted copy.`, 'Report this.');
  const key = await findKey(context, token, keyLabel);
  if (!key.ok) return key;
  if (key.value.publicKeySha256 !== escrow.value.publicKeySha256) return keyChanged(keyLabel, key.value);
  const held = await look(context, token, entry);
  if (!held.ok) return held;
  if (held.value === 'other') {
    return failure(
      'Token_ObjectExists',
      `Another value called ${label} has come onto the token since this run encrypted it anew.`,
      'Find out where it comes from and delete the one that does not count, then go on. This run’s value is safe on disk.',
      { label },
    );
  }
  const ciphertext = Buffer.from(entry.tokenCiphertext, 'base64');
  const sha256 = sha256Hex(ciphertext);
  if (held.value === 'previous') {
    const deleted = await withLogin(context, token, () => context.ports.tokens.deleteData(token, label));
    if (!deleted.ok) return deleted;
  }
  if (held.value !== 'new') {
    const written = await write(context, token, label, ciphertext);
    if (!written.ok) return written;
  }
  const decrypts = await mustDecrypt(context, token, label, sha256, keyLabel);
  if (!decrypts.ok) return decrypts;
  const evidence = { label, size: ciphertext.length, ciphertextSha256: sha256 };
  return held.value === 'new' ? foundDone(evidence) : done(evidence);
}

async function mustDecrypt(
  context: StepContext,
  token: TokenReference,
  label: string,
  sha256: string,
  keyLabel: string,
): Promise<Result<unknown>> {
  const checked = await withLogin(context, token, () =>
    context.ports.objects.checkValue(token, { label, sha256 }, keyLabel),
  );
  if (!checked.ok) return checked;
  return checked.value.decrypts
    ? success({})
    : failure(
        'Token_DecryptFailed',
        `${label} does not decrypt with the key “${keyLabel}”.`,
        'Keep the old key, and do not abandon this run.',
        { label, keyLabel },
      );
}

/** Data objects of the token that decrypt with the old key still: what its deletion would make worthless. */
async function stillNeeding(
  context: StepContext,
  { token, keyLabel, labels }: EffectOf<'values.remove-old-key'>,
): Promise<Result<readonly string[]>> {
  const objects = await objectsOf(context, token);
  if (!objects.ok) return objects;
  const needing: string[] = [];
  for (const { objectClass, label, sha256 } of objects.value) {
    if (objectClass !== 'data' || label === '' || labels.includes(label)) continue;
    const checked = await withLogin(context, token, () =>
      context.ports.objects.checkValue(token, { label, sha256 }, keyLabel),
    );
    if (!checked.ok) return checked;
    if (checked.value.decrypts) needing.push(label);
  }
  return success(needing);
}

export async function removeOldKey(context: StepContext, effect: EffectOf<'values.remove-old-key'>): EffectResult {
  const { token, keyLabel, toKeyLabel, labels } = effect;
  const { objects } = context.ports;
  for (const label of labels) {
    const decrypts = await mustDecrypt(context, token, label, '', toKeyLabel);
    if (!decrypts.ok) return decrypts;
  }
  const old = await findKey(context, token, keyLabel);
  if (!old.ok) {
    const gone = old.error.code === 'Token_KeyMissing' && context.noted['deleting'] === true;
    if (gone) return foundDone({ oldKeyLabel: keyLabel, oldKeySha256: context.noted['oldKeySha256'] ?? '' });
    // One half may be left of a deletion that was cut off: it is taken away with what the first attempt noted.
    if (old.error.code !== 'Token_KeyIncomplete' || context.noted['deleting'] !== true) return old;
  } else {
    const needing = await stillNeeding(context, effect);
    if (!needing.ok) return needing;
    if (needing.value.length > 0) {
      return failure(
        'Token_KeyUnsuitable',
        `The old key is still needed: ${needing.value.join(', ')} on this token decrypts with it.`,
        'Encrypt these anew as well, or delete them if nothing needs them; then go on with this run.',
        { labels: needing.value.join(', ') },
      );
    }
    const noted = await context.note({
      deleting: true,
      oldKeySha256: old.value.publicKeySha256,
      oldKeyId: old.value.id,
    });
    if (!noted.ok) return noted;
  }
  const id = old.ok ? old.value.id : String(context.noted['oldKeyId'] ?? '');
  const sha256 = old.ok ? old.value.publicKeySha256 : String(context.noted['oldKeySha256'] ?? '');
  const deleted = await withLogin(context, token, () =>
    objects.deleteObject(token, { objectClass: 'key-pair', label: keyLabel, id, sha256 }),
  );
  return deleted.ok ? done({ oldKeyLabel: keyLabel, oldKeySha256: sha256, deleted: deleted.value.deleted }) : deleted;
}
