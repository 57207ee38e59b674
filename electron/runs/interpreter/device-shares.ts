/** DKEK shares: made, handed out in pieces, imported. */
import { secretPurpose } from '../../sealing/schema.ts';
import type { DeviceEffect } from '../../workflows/device-effects.ts';
import { shareFileName } from '../../workflows/device-steps.ts';
import { deviceWords, namesInWords } from '../../workflows/words-device.ts';
import type { DkekOpening, DkekState } from '../../workflows/device-ports.ts';
import type { Failure, FailureCode, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { SealedSecretValue } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { describeDevice, evidenceOfKeyCheck } from './device-state.ts';
import { forgetLogins } from './log-in.ts';
import { sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends DeviceEffect['kind']> = Extract<DeviceEffect, { kind: Kind }>;
type PasswordQuestion = Pick<
  Parameters<StepContext['ports']['prompt']['askPassword']>[0],
  'act' | 'what' | 'custodian' | 'isNew' | 'form' | 'problem' | 'failedWith'
>;

/** A share's file lies about for years; its password is what guards it. In characters. */
const shortestPassword = 8;

async function askPassword(
  context: StepContext,
  device: EffectOf<'dkek.create-share'>['device'],
  question: PasswordQuestion,
): Promise<Result<SealedSecretValue>> {
  const recipient = await context.ports.tokens.sealingPublicKey(device.storeId);
  if (!recipient.ok) return recipient;
  return context.ports.prompt.askPassword({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    tokenLabel: device.label,
    tokenSerial: device.serial,
    minimumLength: shortestPassword,
    recipient: recipient.value,
    purpose: secretPurpose.dkekPassword,
    ...question,
  });
}

type Protection = Parameters<StepContext['ports']['devices']['createDkekShare']>[1];

/** Makes a share and leaves its file in the run's outbox, in the place of one made before. */
async function makeShare(
  context: StepContext,
  storeId: string,
  index: number,
  protection: Protection,
): Promise<Result<Evidence>> {
  const made = await context.ports.devices.createDkekShare(storeId, protection);
  if (!made.ok) return made;
  const written = await context.ports.outbox.write(context.runId, shareFileName(index), made.value.file);
  if (!written.ok) return written;
  return success({
    file: written.value.path,
    fileSha256: made.value.fileSha256,
    ...(made.value.splitId === '' ? {} : { splitId: made.value.splitId }),
  });
}

export async function createShare(context: StepContext, effect: EffectOf<'dkek.create-share'>): EffectResult {
  const { device, index, share } = effect;
  const { protection } = share;
  if (protection.kind === 'split') {
    // Pieces that an earlier attempt did not hand out are gone with it: nobody has one, so the share is made anew.
    const { threshold, custodians } = protection;
    const made = await makeShare(context, device.storeId, index, {
      kind: 'split',
      threshold,
      total: custodians.length,
    });
    return made.ok ? done(made.value) : made;
  }
  const present = await context.ports.outbox.read(context.runId, shareFileName(index));
  if (!present.ok) return present;
  if (present.value !== undefined) {
    // Written by an earlier attempt, with the password that its custodian had just typed.
    return foundDone({ file: shareFileName(index), fileSha256: sha256Hex(present.value) });
  }
  const password = await askPassword(context, device, {
    act: deviceWords.createShare.act(index + 1),
    what: deviceWords.createShare.password(index + 1),
    custodian: protection.custodian,
    isNew: true,
    form: 'password',
    problem: '',
    failedWith: undefined,
  });
  if (!password.ok) return password;
  const made = await makeShare(context, device.storeId, index, { kind: 'password', password: password.value });
  return made.ok ? done(made.value) : made;
}

/** Hands one piece of a split out. Token_SessionLost where the process that held the split is gone. */
async function handOut(
  context: StepContext,
  effect: EffectOf<'dkek.hand-out-piece'>,
  splitId: string,
  pieceIndex: number,
): Promise<Result<{ readonly confirmed: true }>> {
  const { storeId } = effect.device;
  let lost: Failure | undefined;
  const handed = await context.ports.prompt.handOut({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    custodian: effect.custodians[pieceIndex] ?? '',
    label: deviceWords.handOutPiece.label(effect.shareIndex + 1, pieceIndex + 1, effect.custodians.length),
    // A DKEK belongs to devices, not to a Vault.
    vaultName: '',
    purpose: secretPurpose.dkekPieceForDisplay,
    sealTo: async (recipient) => {
      const piece = await context.ports.devices.dkekPiece(
        storeId,
        splitId,
        pieceIndex,
        recipient,
        secretPurpose.dkekPieceForDisplay,
      );
      lost = piece.ok ? undefined : piece.error;
      return piece;
    },
  });
  // The prompt says in its own words that nothing could be shown; why is told apart here.
  return handed.ok || lost === undefined ? handed : { ok: false, error: lost };
}

/**
 * One piece to its custodian. Where the process that held the split has ended, share and pieces are made anew, and
 * the custodians before this one get theirs again: what they wrote down would open nothing.
 */
export async function handOutPiece(context: StepContext, effect: EffectOf<'dkek.hand-out-piece'>): EffectResult {
  const { device, shareIndex, pieceIndex, custodians } = effect;
  const custodian = custodians[pieceIndex] ?? '';
  let splitId = String(context.facts['splitId'] ?? '');
  // How many were handed out of a split that this step made anew, in an earlier attempt that was left.
  let next = typeof context.noted['handedAnew'] === 'number' ? context.noted['handedAnew'] : pieceIndex;
  let wasMadeAnew = context.noted['handedAnew'] !== undefined;
  while (next <= pieceIndex) {
    const handed = await handOut(context, effect, splitId, next);
    if (handed.ok) {
      next += 1;
      if (wasMadeAnew && next <= pieceIndex) {
        const noted = await context.note({ handedAnew: next });
        if (!noted.ok) return noted;
      }
      continue;
    }
    if (handed.error.code !== 'Token_SessionLost') return handed;
    const made = await makeShare(context, device.storeId, shareIndex, {
      kind: 'split',
      threshold: effect.threshold,
      total: custodians.length,
    });
    if (!made.ok) return made;
    const noted = await context.note({ ...made.value, handedAnew: 0 });
    if (!noted.ok) return noted;
    const said = await context.deviate(
      deviceWords.handOutPiece.madeAnew(shareIndex + 1, custodians.slice(0, Math.max(next, pieceIndex))),
    );
    if (!said.ok) return said;
    splitId = String(made.value['splitId'] ?? '');
    wasMadeAnew = true;
    next = 0;
  }
  if (pieceIndex === custodians.length - 1) {
    const forgotten = await context.ports.devices.forgetSplit(device.storeId, splitId);
    // Gone already with its process, which is what is wanted.
    if (!forgotten.ok && forgotten.error.code !== 'Token_SessionLost') return forgotten;
  }
  return done({ custodian, typedBack: true });
}

type OneShare = Pick<EffectOf<'dkek.import-share'>, 'device' | 'index' | 'share'>;

/** The file of a share: the plan's, or the one that this run made. */
async function shareFile(context: StepContext, effect: OneShare): Promise<Result<Uint8Array>> {
  if (effect.share.source === 'file') return success(Buffer.from(effect.share.fileBase64, 'base64'));
  const file = await context.ports.outbox.read(context.runId, shareFileName(effect.index));
  if (!file.ok) return file;
  return file.value === undefined
    ? failure(
        'Custody_ReadFailed',
        `${shareFileName(effect.index)} is no longer in the outbox of this run.`,
        'Put the file back where the step that made it says it was, then go on.',
      )
    : success(file.value);
}

/** What opens a share: its password, or pieces of it typed by as many custodians as it takes. */
async function askOpening(
  context: StepContext,
  { device, index, share: { protection } }: OneShare,
  act: string,
  failedWith: Failure<TokenFailureCode> | undefined,
): Promise<Result<DkekOpening>> {
  const text = deviceWords.importShare;
  const common = { act, isNew: false, problem: failedWith?.message ?? '', failedWith };
  if (protection.kind === 'password') {
    const password = await askPassword(context, device, {
      ...common,
      what: text.password(index + 1),
      custodian: protection.custodian,
      form: 'password',
    });
    return password.ok ? success({ kind: 'password', password: password.value }) : password;
  }
  const pieces: SealedSecretValue[] = [];
  while (pieces.length < protection.threshold) {
    const piece = await askPassword(context, device, {
      ...common,
      ...(pieces.length === 0 ? {} : { problem: '', failedWith: undefined }),
      what: text.piece(pieces.length + 1, protection.threshold, index + 1),
      custodian: `one of ${namesInWords(protection.custodians)}`,
      form: 'piece',
    });
    if (!piece.ok) return piece;
    pieces.push(piece.value);
  }
  return success({ kind: 'pieces', pieces });
}

const askedAgain: ReadonlySet<FailureCode> = new Set(['Device_SharePasswordWrong', 'Device_SharePieceInvalid']);

/** How many shares of this DKEK the device has; a failure where its state is not one that this run can have made. */
function importedOf({ index, count }: EffectOf<'dkek.import-share'>, serial: string, dkek: DkekState): Result<number> {
  const imported = dkek.kind === 'none' ? -1 : count - dkek.outstanding;
  return dkek.shares === count && imported >= index
    ? success(imported)
    : failure(
        'Device_StatusUnexpected',
        'The device does not wait for this share: it has been initialised anew, or was set up with other shares.',
        'Find out who did it. To set it up with these shares, start a new run.',
        { serial, shares: dkek.shares, outstanding: dkek.outstanding },
      );
}

function conclude(
  effect: EffectOf<'dkek.import-share'>,
  dkek: DkekState,
  end: typeof done | typeof foundDone,
): Awaited<EffectResult> {
  const { index, count, expectedKeyCheckValue, device } = effect;
  if (index < count - 1) return end({ sharesImported: index + 1, sharesOutstanding: count - index - 1 });
  if (dkek.kind !== 'ready' || dkek.keyCheckValue === '')
    return failure(
      'Device_StatusUnexpected',
      'The last share was imported, and the device says that its DKEK is not complete.',
      'Unplug it, plug it in again and press the button again.',
      { serial: device.serial, outstanding: dkek.outstanding },
    );
  if (expectedKeyCheckValue !== '' && dkek.keyCheckValue !== expectedKeyCheckValue)
    return failure(
      'Device_DkekMismatch',
      `The DKEK that came out has the key check value ${dkek.keyCheckValue}, not ${expectedKeyCheckValue}: one of the shares is another device’s.`,
      'A DKEK cannot be taken back: abandon this run and set the device up again with the right share files.',
      { serial: device.serial, keyCheckValue: dkek.keyCheckValue, expected: expectedKeyCheckValue },
    );
  return end({ sharesImported: count, ...evidenceOfKeyCheck(dkek) });
}

/** Imports one share, once: imported twice it would give another DKEK. The device's own count says whether it is in. */
export async function importShare(context: StepContext, effect: EffectOf<'dkek.import-share'>): EffectResult {
  const { device, index } = effect;
  const described = await describeDevice(context, device);
  if (!described.ok) return described;
  const imported = importedOf(effect, device.serial, described.value.dkek);
  if (!imported.ok) return imported;
  if (imported.value > index) return conclude(effect, described.value.dkek, foundDone);
  const taken = await withOpening(context, effect, deviceWords.importShare.act(index + 1), async (file, opening) => {
    const imported = await context.ports.devices.importDkekShare(device, file, opening);
    forgetLogins(context, device.storeId);
    return imported;
  });
  return taken.ok ? conclude(effect, taken.value, done) : taken;
}

/** Asks for what opens a share until it does, or the person closes the prompt. */
async function withOpening<Value>(
  context: StepContext,
  share: OneShare,
  act: string,
  work: (file: Uint8Array, opening: DkekOpening) => Promise<Result<Value, TokenFailureCode>>,
): Promise<Result<Value>> {
  const file = await shareFile(context, share);
  if (!file.ok) return file;
  let problem: Failure<TokenFailureCode> | undefined;
  for (;;) {
    const opening = await askOpening(context, share, act, problem);
    if (!opening.ok) return opening;
    const worked = await work(file.value, opening.value);
    if (worked.ok || !askedAgain.has(worked.error.code)) return worked;
    problem = worked.error;
  }
}

/** Every share file is opened, and what they give is compared with the device's DKEK, while nothing is erased yet. */
export async function openShares(context: StepContext, effect: EffectOf<'dkek.open-shares'>): EffectResult {
  const { device, shares } = effect;
  const { devices } = context.ports;
  for (const [index, share] of shares.entries()) {
    const act = deviceWords.drill.open.act(index + 1);
    const opened = await withOpening(context, { device, index, share }, act, (file, opening) =>
      devices.openDkekShare(device.storeId, context.runId, index, file, opening),
    );
    if (!opened.ok) return opened;
  }
  const given = await devices.dkekKeyCheckValue(device.storeId, context.runId, shares.length);
  if (!given.ok) return given;
  const expected = context.facts['keyCheckValue'];
  return given.value === expected
    ? done({ sharesOpened: shares.length, keyCheckValue: given.value })
    : failure(
        'Device_DkekMismatch',
        `The share files give the key check value ${given.value}, and the device’s DKEK has ${String(expected)}: the wrapped key could not come back.`,
        'Nothing was erased. Find the share files of this device’s DKEK, then start a new run.',
        { keyCheckValue: given.value, expected: String(expected) },
      );
}
