import { X509Certificate } from 'node:crypto';
import type { CareEffect } from '../../workflows/care-effects.ts';
import type { TokenObject } from '../../workflows/device-ports.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { TokenReference } from '../../workflows/ports.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { forgetLogins, withLogin } from './log-in.ts';
import { evidenceOfChoice, sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends CareEffect['kind']> = Extract<CareEffect, { kind: Kind }>;
type Meant = EffectOf<'object.delete'>['object'];

/** Every object that the logged-in user sees. */
export async function objectsOf(context: StepContext, token: TokenReference): Promise<Result<readonly TokenObject[]>> {
  const listed = await withLogin(context, token, () => context.ports.objects.listAllObjects(token));
  return listed.ok ? success(listed.value.objects) : listed;
}

const classesOf: Readonly<Record<Meant['objectClass'], readonly TokenObject['objectClass'][]>> = {
  'key-pair': ['private-key', 'public-key'],
  'secret-key': ['secret-key'],
  certificate: ['certificate'],
  data: ['data'],
};

/** The halves of a key pair may differ in what they show, so a hash that one of them does not have counts for neither. */
const isMeant =
  (meant: Meant) =>
  ({ objectClass, label, id, sha256 }: TokenObject): boolean =>
    classesOf[meant.objectClass].includes(objectClass) &&
    label === meant.label &&
    id === meant.id &&
    (meant.sha256 === '' || sha256 === '' || sha256 === meant.sha256);

export async function deleteObject(context: StepContext, { token, object }: EffectOf<'object.delete'>): EffectResult {
  const evidence = {
    objectClass: object.objectClass,
    objectLabel: object.label,
    objectId: object.id,
    objectSha256: object.sha256,
  };
  const before = await objectsOf(context, token);
  if (!before.ok) return before;
  if (!before.value.some(isMeant(object))) {
    if (context.noted['deleting'] === true) return foundDone(evidence);
    return failure(
      'Token_ObjectMissing',
      'The object that this run is to delete is not on the token.',
      'Look at the token’s objects again. Nothing was deleted.',
      { label: object.label, id: object.id },
    );
  }
  const noted = await context.note({ deleting: true });
  if (!noted.ok) return noted;
  const deleted = await withLogin(context, token, () => context.ports.objects.deleteObject(token, object));
  return deleted.ok ? done({ ...evidence, deleted: deleted.value.deleted }) : deleted;
}

/** PEM or DER to a certificate; undefined where it is neither. */
function parseCertificate(file: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(file);
  } catch (cause) {
    if (cause instanceof Error) return undefined;
    throw cause;
  }
}

export async function storeCertificate(
  context: StepContext,
  { token, label, id, certificateBase64 }: EffectOf<'certificate.store'>,
): EffectResult {
  const certificate = parseCertificate(Buffer.from(certificateBase64, 'base64'));
  if (certificate === undefined) {
    return failure(
      'Token_CertificateInvalid',
      'The file holds no X.509 certificate.',
      'Choose a certificate in PEM or DER form and start a new run.',
    );
  }
  const der = certificate.raw;
  const evidence = {
    objectLabel: label,
    objectId: id,
    objectSha256: sha256Hex(der),
    certificateSubject: certificate.subject.replaceAll('\n', ', '),
    certificateEnds: certificate.validToDate.toISOString(),
  };
  const present = await objectsOf(context, token);
  if (!present.ok) return present;
  const ofKey = await checkKey(context, token, id, certificate, present.value);
  if (!ofKey.ok) return ofKey;
  const same = present.value.some(
    (object) =>
      object.objectClass === 'certificate' &&
      object.label === label &&
      object.id === id &&
      object.sha256 === evidence.objectSha256,
  );
  if (same) return foundDone(evidence);
  const kept = await keepRequest(context, token, id, present.value);
  if (!kept.ok) return kept;
  const stored = await withLogin(context, token, () =>
    context.ports.objects.storeCertificate(token, { der, label, id }),
  );
  if (!stored.ok) return stored;
  return stored.value.sha256 === evidence.objectSha256
    ? done(evidence)
    : failure(
        'Token_ObjectNotKept',
        'The certificate came back from the token other than it was written.',
        'Delete it and do not rely on this token for certificates.',
        { label },
      );
}

/**
 * On a SmartCard-HSM a certificate takes the place of the request by which its key is attested: that is checked and
 * kept in the outbox first. Noted, so that an attempt after a cut-off says it as well.
 */
async function keepRequest(
  context: StepContext,
  token: TokenReference,
  id: string,
  objects: readonly TokenObject[],
): Promise<Result<unknown>> {
  const isOfKey = objects.some((object) => object.objectClass === 'private-key' && object.id === id);
  if (id === '' || !isOfKey) return success({});
  const { devices, outbox } = context.ports;
  const listed = await devices.listDevices(token.storeId);
  if (!listed.ok) return listed;
  if (!listed.value.some(({ serial }) => serial === token.serial)) return success({});
  const taken = objects.find((object) => object.objectClass === 'certificate' && object.id === id);
  if (taken !== undefined) {
    return failure(
      'Token_ObjectExists',
      `This device keeps one certificate for each key, and the key has “${taken.label}” already. It was left as it is.`,
      'Delete that one first if it is not needed any more; the key stays.',
      { label: taken.label, id },
    );
  }
  const read = await devices.keyRequest(token, id);
  if (!read.ok) return read;
  const { request, state, problem } = read.value;
  const fileName = `key-${id}-request.cvc`;
  if (request.length === 0) {
    // An earlier attempt was cut off between the request and the certificate: the key has no public half meanwhile.
    if (typeof context.noted['requestSha256'] !== 'string') return success({});
    const left = await outbox.read(context.runId, fileName);
    if (!left.ok || left.value === undefined) return left;
    const { value } = left;
    const restored = await withLogin(context, token, () => devices.restoreKeyRequest(token, id, value));
    forgetLogins(context, token.storeId);
    return restored;
  }
  const written = await outbox.write(context.runId, fileName, request);
  if (!written.ok) return written;
  return context.note({
    keyAttestation: state,
    ...(problem === '' ? {} : { attestationProblem: problem }),
    requestFile: written.value.path,
    requestSha256: sha256Hex(request),
  });
}

/** A certificate under the id of a key has to be of that key: programs that use it take the two for one. */
async function checkKey(
  context: StepContext,
  token: TokenReference,
  id: string,
  certificate: X509Certificate,
  objects: readonly TokenObject[],
): Promise<Result<unknown>> {
  const key = objects.find((object) => id !== '' && object.objectClass === 'public-key' && object.id === id);
  if (key === undefined) return success({});
  const exported = await withLogin(context, token, () =>
    context.ports.objects.exportPublicKey(token, { id, label: key.label }),
  );
  if (!exported.ok) return exported;
  const ofCertificate = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return ofCertificate.equals(Buffer.from(exported.value.publicKeySpki, 'base64'))
    ? success({})
    : failure(
        'Token_CertificateInvalid',
        `The certificate is not of the key “${key.label}”, whose id it would have.`,
        'Choose the certificate of that key, or store this one under another id.',
        { id },
      );
}

export async function testKey(context: StepContext, { token, label, id }: EffectOf<'key.test'>): EffectResult {
  const tested = await withLogin(context, token, () => context.ports.objects.testKey(token, { id, label }));
  if (!tested.ok) return tested;
  const { tried, passed, problem, wrapping } = tested.value;
  if (passed)
    return done({ keyLabel: label, keyId: id, tried: tried.join(', '), passed, ...evidenceOfChoice(wrapping) });
  return failure(
    'Token_KeyTestFailed',
    `The key “${label === '' ? id : label}” did not do what it should: ${problem === '' ? 'its result was wrong' : problem}.`,
    'Do not use this key. Try it once more; if it fails again, restore it from its backup or replace the token.',
    { label, id, tried: tried.join(', ') },
  );
}
