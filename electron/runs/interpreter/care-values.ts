import { secretPurpose } from '../../sealing/schema.ts';
import type { CareEffect } from '../../workflows/care-effects.ts';
import type { TokenObject } from '../../workflows/device-ports.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import { deviationOfValue } from '../../workflows/values.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { objectsOf } from './care-objects.ts';
import { withLogin } from './log-in.ts';
import { sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends CareEffect['kind']> = Extract<CareEffect, { kind: Kind }>;
type OnValue = EffectOf<'value.check'> | EffectOf<'value.resolve-double'>;

const named = (label: string) => (object: TokenObject) => object.objectClass === 'data' && object.label === label;

export async function checkValue(context: StepContext, effect: EffectOf<'value.check'>): EffectResult {
  const { token, keyLabel, label } = effect;
  const objects = await objectsOf(context, token);
  if (!objects.ok) return objects;
  const found = objects.value.filter(named(label));
  const deviation = deviationOfValue(label, found);
  if (deviation !== undefined) {
    const noted = await context.deviate(deviation.text);
    return noted.ok ? done({ label, valueState: deviation.state }) : noted;
  }
  const [object] = found;
  const sha256 = object?.sha256 ?? '';
  const checked = await withLogin(context, token, () =>
    context.ports.objects.checkValue(token, { label, sha256 }, keyLabel),
  );
  if (!checked.ok) return checked;
  if (checked.value.decrypts) return done({ label, valueState: 'decrypts', ciphertextSha256: sha256 });
  const noted = await context.deviate(
    `${label} does not decrypt with the key “${keyLabel}”: it was encrypted under another key, or changed.`,
  );
  return noted.ok ? done({ label, valueState: 'does-not-decrypt', ciphertextSha256: sha256 }) : noted;
}

/** A label as part of a file name. */
function fileNamePart(label: string): string {
  const plain = label.replaceAll(/[^A-Za-z0-9]+/gu, '-').replaceAll(/^-|-$/gu, '');
  return plain === '' ? 'value' : plain.slice(0, 60);
}

/** Puts each of these ciphertexts into the run's folder, as it is on the token. */
async function saveCopies(
  context: StepContext,
  { token, label }: OnValue,
  hashes: readonly string[],
): Promise<Result<readonly string[]>> {
  const paths: string[] = [];
  for (const sha256 of hashes) {
    const read = await withLogin(context, token, () => context.ports.objects.readValue(token, { label, sha256 }));
    if (!read.ok) return read;
    if (sha256Hex(read.value) !== sha256) {
      return failure(
        'Token_ObjectNotKept',
        `${label} came back from the token other than it was listed.`,
        'Go on with this run once nobody else changes the token. Nothing was deleted.',
        { label },
      );
    }
    const written = await context.ports.outbox.write(
      context.runId,
      `${fileNamePart(label)}-${sha256.slice(0, 16)}.ciphertext`,
      read.value,
    );
    if (!written.ok) return written;
    paths.push(written.value.path);
  }
  return success(paths);
}

/** The hash of the value to keep. Failures say why none can be chosen; nothing is deleted then. */
async function chooseOne(
  context: StepContext,
  { token, keyLabel, label }: OnValue,
  hashes: readonly string[],
): Promise<Result<string>> {
  const decrypting: { readonly sha256: string; readonly mark: string }[] = [];
  for (const sha256 of hashes) {
    const checked = await withLogin(context, token, () =>
      context.ports.objects.checkValue(token, { label, sha256 }, keyLabel),
    );
    if (!checked.ok) return checked;
    if (checked.value.decrypts) decrypting.push({ sha256, mark: checked.value.mark });
  }
  const [first] = decrypting;
  if (first === undefined) {
    return failure(
      'Token_DecryptFailed',
      `None of the ${hashes.length.toString()} objects ${label} decrypts with the key “${keyLabel}”. Nothing was deleted; copies of them are in the run’s folder.`,
      'Look for the key that they were encrypted under. Abandon this run if there is none.',
      { label },
    );
  }
  if (new Set(decrypting.map(({ mark }) => mark)).size === 1) return success(first.sha256);
  return failure(
    'Token_ObjectDoubled',
    `${decrypting.length.toString()} objects ${label} decrypt, and to different values: only Vault can tell which one counts. Nothing was deleted; copies of them are in the run’s folder.`,
    'Read them out and try them, delete the wrong one by its hash (object delete --sha256), then go on with this run.',
    { label, sha256: decrypting.map(({ sha256 }) => sha256).join(' ') },
  );
}

export async function resolveDouble(context: StepContext, effect: EffectOf<'value.resolve-double'>): EffectResult {
  const { token, label } = effect;
  const objects = await objectsOf(context, token);
  if (!objects.ok) return objects;
  const found = objects.value.filter(named(label));
  const [only] = found;
  if (found.length <= 1) {
    // Missing ones are reported by the check that follows.
    return foundDone({ label, found: found.length, kept: only?.sha256 ?? '' });
  }
  const hashes = [...new Set(found.map(({ sha256 }) => sha256))].sort();
  const saved = await saveCopies(context, effect, hashes);
  if (!saved.ok) return saved;
  const kept = await chooseOne(context, effect, hashes);
  if (!kept.ok) return kept;
  const noted = await context.note({ found: found.length, kept: kept.value, savedCopies: saved.value.join(', ') });
  if (!noted.ok) return noted;
  // Of objects with the very same bytes each deletion takes one.
  const keptOnce = found.findIndex(({ sha256 }) => sha256 === kept.value);
  const superfluous = found.filter((_object, index) => index !== keptOnce);
  for (const { id, sha256 } of superfluous) {
    const deleted = await withLogin(context, token, () =>
      context.ports.objects.deleteObject(token, { objectClass: 'data', label, id, sha256 }),
    );
    if (!deleted.ok) return deleted;
  }
  const left = await objectsOf(context, token);
  if (!left.ok) return left;
  const remaining = left.value.filter(named(label));
  if (remaining.length !== 1 || remaining[0]?.sha256 !== kept.value) {
    return failure(
      'Token_ObjectNotKept',
      `${label} is on the token ${remaining.length.toString()} times after its doubles were deleted.`,
      'Look at the token’s objects. Copies of all of them are in the run’s folder.',
      { label },
    );
  }
  return done({
    label,
    found: found.length,
    kept: kept.value,
    deleted: superfluous.length,
    savedCopies: saved.value.join(', '),
  });
}

export async function readOut(context: StepContext, effect: EffectOf<'value.read-out'>): EffectResult {
  const { token, keyLabel, label, custodian } = effect;
  // The PIN is asked for, and the value found, before the custodian is called to the screen.
  const ciphertext = await withLogin(context, token, () => context.ports.tokens.readData(token, label));
  if (!ciphertext.ok) return ciphertext;
  const key = await withLogin(context, token, () => context.ports.tokens.findWrappingKey(token, keyLabel));
  if (!key.ok) return key;
  const handed = await context.ports.prompt.handOut({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    custodian,
    label,
    vaultName: token.label,
    purpose: secretPurpose.shareForDisplay,
    sealTo: (recipient) =>
      context.ports.tokens.decrypt(token, keyLabel, ciphertext.value, recipient, secretPurpose.shareForDisplay),
  });
  return handed.ok
    ? done({ label, custodian, typedBack: true, ciphertextSha256: sha256Hex(ciphertext.value) })
    : handed;
}
