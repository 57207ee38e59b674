/** Everything on one SmartCard-HSM to another with the same DKEK. What is there already is left as it is. */
import type { DeviceEffect } from '../../workflows/device-effects.ts';
import type { TokenOfPlan } from '../../workflows/device-plans.ts';
import type { TokenObject } from '../../workflows/device-ports.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { readLeft } from './device-keys.ts';
import { forgetLogins, withLogin } from './log-in.ts';

type EffectOf<Kind extends DeviceEffect['kind']> = Extract<DeviceEffect, { kind: Kind }>;

/** A private or secret key, with what tells it from every other. */
interface Key {
  readonly object: TokenObject;
  /** SHA-256 of the public key; of a secret key, its label and size, since nothing else of it can be read. */
  readonly identity: string;
}

interface Content {
  readonly keys: readonly Key[];
  readonly certificates: readonly TokenObject[];
  readonly data: readonly TokenObject[];
}

const nameOf = ({ label, id }: TokenObject): string => (label === '' ? id : label);

function contentOf(objects: readonly TokenObject[]): Content {
  const publicHashOf = ({ id, sha256 }: TokenObject): string =>
    sha256 === ''
      ? (objects.find((other) => other.objectClass === 'public-key' && other.id === id)?.sha256 ?? '')
      : sha256;
  const keys = objects.flatMap((object): readonly Key[] => {
    if (object.objectClass === 'private-key') return [{ object, identity: publicHashOf(object) }];
    if (object.objectClass === 'secret-key')
      return [{ object, identity: `secret ${object.label} ${object.bits.toString()}` }];
    return [];
  });
  return {
    keys,
    // The device's own certificate is card-verifiable, has no X.509 subject, and stays with its device.
    certificates: objects.filter(({ objectClass, subject }) => objectClass === 'certificate' && subject !== ''),
    data: objects.filter(({ objectClass }) => objectClass === 'data'),
  };
}

async function contentOn(context: StepContext, token: TokenOfPlan): Promise<Result<Content>> {
  const listed = await withLogin(context, token, () => context.ports.objects.listAllObjects(token));
  return listed.ok ? success(contentOf(listed.value.objects)) : listed;
}

/** What is missing on the second device. */
function missingOn(target: Content, source: Content): Content {
  const has = (objects: readonly TokenObject[], wanted: TokenObject): boolean =>
    objects.some(({ label, sha256 }) => label === wanted.label && sha256 === wanted.sha256);
  return {
    keys: source.keys.filter(({ identity }) => !target.keys.some((key) => key.identity === identity)),
    certificates: source.certificates.filter(
      (wanted) => !target.certificates.some(({ sha256 }) => sha256 === wanted.sha256),
    ),
    data: source.data.filter((wanted) => !has(target.data, wanted)),
  };
}

/**
 * What would end in two things of one name, or cannot be told apart: found before anything is wrapped. Two pairs of one
 * label that the first device has itself, as after a rotation of the KMS provider's key, are what a copy has too.
 */
function conflictOf(
  missing: Content,
  target: Content,
  source: Content,
  to: TokenOfPlan,
): Result<Record<string, never>> {
  const labels = new Set<string>();
  for (const { label } of missing.data) {
    if (labels.has(label))
      return failure(
        'Token_ObjectDoubled',
        `The first device holds more than one data object called “${label}”.`,
        'Nothing was copied. Resolve it first: values repair, or Check and repair under Devices.',
        { label },
      );
    labels.add(label);
    if (target.data.some((present) => present.label === label))
      return failure(
        'Token_ObjectExists',
        `The device with serial ${to.serial} holds another data object called “${label}”.`,
        'Nothing was copied. Delete it there, or clone onto another device.',
        { serial: to.serial, label },
      );
  }
  const isOnBoth = (key: Key): boolean => source.keys.some(({ identity }) => identity === key.identity);
  for (const { object } of missing.keys) {
    const others = target.keys.filter(({ object: { label } }) => label === object.label && label !== '');
    if (!others.every(isOnBoth))
      return failure(
        'Token_KeyLabelInUse',
        `Another key called “${object.label}” is on the device with serial ${to.serial}.`,
        'Nothing was copied. Delete it there, or clone onto another device. bank-vaults cannot tell two pairs with one label apart.',
        { serial: to.serial, label: object.label },
      );
    if (object.id === '')
      return failure(
        'Token_KeyUnsuitable',
        `Key “${object.label}” has no id, so it cannot be named to the device.`,
        'Nothing was copied.',
        { label: object.label },
      );
  }
  return success({});
}

const wrappedFileOf = (object: TokenObject): string => `key-${object.id}.bin`;

/** Wraps every key first, so that the first device's PIN is asked for once, and then brings them over. */
async function copyKeys(
  context: StepContext,
  { from, to }: EffectOf<'device.copy-objects'>,
  keys: readonly Key[],
): Promise<Result<Record<string, never>>> {
  const { devices, outbox } = context.ports;
  for (const { object } of keys) {
    const wrapped = await withLogin(context, from, () => devices.wrapKey(from, object.id));
    if (!wrapped.ok) return wrapped;
    const written = await outbox.write(context.runId, wrappedFileOf(object), wrapped.value.file);
    if (!written.ok) return written;
  }
  for (const { object, identity } of keys) {
    const file = await readLeft(context, wrappedFileOf(object));
    if (!file.ok) return file;
    // The card's login lasts until the library is asked for something: one PIN for all keys.
    const unwrapped = await withLogin(context, to, () => devices.unwrapKey(to, file.value));
    if (!unwrapped.ok) return unwrapped;
    const isAlone = keys.filter((key) => nameOf(key.object) === nameOf(object)).length === 1;
    const name = isAlone ? nameOf(object) : `${nameOf(object)} (${object.id})`;
    const noted = await context.note({ [`copied key ${name}`]: identity });
    if (!noted.ok) return noted;
  }
  forgetLogins(context, to.storeId);
  return success({});
}

async function copyData(
  context: StepContext,
  { from, to }: EffectOf<'device.copy-objects'>,
  data: readonly TokenObject[],
): Promise<Result<Record<string, never>>> {
  const { objects, tokens } = context.ports;
  for (const { label, sha256 } of data) {
    const value = await withLogin(context, from, () => objects.readValue(from, { label, sha256 }));
    if (!value.ok) return value;
    const written = await withLogin(context, to, () => tokens.writeData(to, label, value.value));
    value.value.fill(0);
    if (!written.ok) return written;
    const noted = await context.note({ [`copied data object ${label}`]: sha256 });
    if (!noted.ok) return noted;
  }
  return success({});
}

async function copyCertificates(
  context: StepContext,
  { from, to }: EffectOf<'device.copy-objects'>,
  certificates: readonly TokenObject[],
): Promise<Result<Record<string, never>>> {
  const { objects } = context.ports;
  for (const { label, id, sha256 } of certificates) {
    const der = await withLogin(context, from, () => objects.readCertificate(from, { label, id, sha256 }));
    if (!der.ok) return der;
    const stored = await withLogin(context, to, () => objects.storeCertificate(to, { der: der.value, label, id }));
    if (!stored.ok) return stored;
    const noted = await context.note({ [`copied certificate ${label === '' ? id : label}`]: sha256 });
    if (!noted.ok) return noted;
  }
  return success({});
}

export async function copyObjects(context: StepContext, effect: EffectOf<'device.copy-objects'>): EffectResult {
  const source = await contentOn(context, effect.from);
  if (!source.ok) return source;
  const target = await contentOn(context, effect.to);
  if (!target.ok) return target;
  const missing = missingOn(target.value, source.value);
  const free = conflictOf(missing, target.value, source.value, effect.to);
  if (!free.ok) return free;
  const keys = await copyKeys(context, effect, missing.keys);
  if (!keys.ok) return keys;
  // A wrapped key brings its own certificate, so what is still missing is looked for anew.
  const now = missing.keys.length === 0 ? target : await contentOn(context, effect.to);
  if (!now.ok) return now;
  const left = missingOn(now.value, source.value);
  const certificates = await copyCertificates(context, effect, left.certificates);
  if (!certificates.ok) return certificates;
  const data = await copyData(context, effect, left.data);
  if (!data.ok) return data;
  const evidence = {
    keysCopied: source.value.keys.length,
    certificatesCopied: source.value.certificates.length,
    dataObjectsCopied: source.value.data.length,
  };
  const nothingToDo = missing.keys.length + missing.certificates.length + missing.data.length === 0;
  return nothingToDo ? foundDone(evidence) : done(evidence);
}

export async function verifyCopy(context: StepContext, effect: EffectOf<'device.verify-copy'>): EffectResult {
  const { from, to } = effect;
  const source = await contentOn(context, from);
  if (!source.ok) return source;
  const target = await contentOn(context, to);
  if (!target.ok) return target;
  const missing = missingOn(target.value, source.value);
  const absent = [...missing.keys.map(({ object }) => object), ...missing.certificates, ...missing.data];
  if (absent.length > 0)
    return failure(
      'Token_ObjectNotKept',
      `The device with serial ${to.serial} does not hold everything: ${absent.map(nameOf).join(', ')}.`,
      'Nothing was erased. Start a new run: it copies what is missing.',
      { serial: to.serial, missing: absent.length },
    );
  let proven = 0;
  for (const { object, identity } of target.value.keys) {
    if (object.objectClass !== 'private-key' || !source.value.keys.some((key) => key.identity === identity)) continue;
    const key = { id: object.id, label: object.label };
    const tested = await withLogin(context, to, () => context.ports.objects.testKey(to, key));
    if (!tested.ok) return tested;
    if (!tested.value.passed)
      return failure(
        'Token_KeyTestFailed',
        `Key “${nameOf(object)}” on the device with serial ${to.serial} does not work: ${tested.value.problem}`,
        'Nothing was erased. Keep the first device.',
        { serial: to.serial, label: object.label },
      );
    proven += 1;
  }
  return done({
    keysProven: proven,
    objectsCompared: source.value.keys.length + source.value.certificates.length + source.value.data.length,
  });
}
