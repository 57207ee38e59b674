/**
 * Attestation: the device's certificate up to a known root, and each key's certificate request, which the key itself
 * and the device have signed when the key was made inside it.
 */
import type { z } from 'zod';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { readAuthenticatedRequest, readCertificates, type CvCertificate } from './cv-certificate.ts';
import type { Device } from './device.ts';
import { deleteFile, fileIdentifier, filePrefix, readFile, writeFile } from './files.ts';
import { readKeys } from './key-description.ts';
import type { attestationSchema } from './protocol.ts';
import { isSignedBy } from './signature-check.ts';

export type AttestationReport = z.infer<typeof attestationSchema>;
type DeviceReport = AttestationReport['device'];
type KeyReport = AttestationReport['keys'][number];

function isCertificateSignedBy(certificate: CvCertificate, issuer: CvCertificate): boolean {
  return issuer.publicKey !== undefined && isSignedBy(issuer.publicKey, certificate.body, certificate.signature);
}

/**
 * The device certificate, signed by its issuer, whose certificate lies behind it and is signed by a root.
 * @param file EF.C_DevAut
 */
export function checkDevice(file: Buffer, roots: readonly CvCertificate[]): DeviceReport {
  const [device, issuer] = readCertificates(file);
  if (device === undefined) {
    return { state: 'absent', chain: [], problem: 'The device has no certificate of its vendor.' };
  }
  const chain = [device.holderReference];
  if (issuer === undefined) {
    return { state: 'absent', chain, problem: 'The certificate of the device’s issuer is not on it.' };
  }
  chain.push(issuer.holderReference);
  const isNamed = device.authorityReference === issuer.holderReference;
  if (!isNamed || !isCertificateSignedBy(device, issuer)) {
    return { state: 'invalid', chain, problem: 'The device’s certificate is not signed by the issuer that it names.' };
  }
  const root = roots.find(({ holderReference }) => holderReference === issuer.authorityReference);
  if (root === undefined) {
    const problem = `The issuer names the root ${issuer.authorityReference}, which is not the vendor’s.`;
    return { state: 'unknown-root', chain, problem };
  }
  chain.push(root.holderReference);
  return isCertificateSignedBy(issuer, root)
    ? { state: 'verified', chain, problem: '' }
    : { state: 'invalid', chain, problem: 'The issuer’s certificate is not signed by the root that it names.' };
}

/** @param file EF with the key's request, or with the X.509 certificate that took its place */
function checkKey(
  file: Buffer,
  device: CvCertificate | undefined,
  report: DeviceReport,
): Omit<KeyReport, 'label' | 'id'> {
  const request = readAuthenticatedRequest(file);
  if (request === undefined) {
    const problem = file.length === 0 ? 'There is no request.' : 'A certificate has taken the request’s place.';
    return { state: 'absent', problem };
  }
  const { certificate } = request;
  const { publicKey } = certificate;
  if (publicKey === undefined || !isSignedBy(publicKey, certificate.body, certificate.signature)) {
    return { state: 'invalid', problem: 'The request is not signed by the key that it names.' };
  }
  if (device?.publicKey === undefined || report.state !== 'verified') {
    return { state: 'absent', problem: 'The device itself is not attested, so it cannot vouch for its keys.' };
  }
  if (request.deviceReference !== device.holderReference) {
    const problem = `The request was made on ${request.deviceReference}: the key was imported from there.`;
    return { state: 'absent', problem };
  }
  return isSignedBy(device.publicKey, request.signed, request.signature)
    ? { state: 'verified', problem: '' }
    : { state: 'invalid', problem: 'The request is not signed by the device that it names.' };
}

interface CheckedDevice {
  readonly report: DeviceReport;
  /** The device's own; undefined where it has none. */
  readonly certificate: CvCertificate | undefined;
}

async function readDevice(device: Device, roots: readonly CvCertificate[]): Promise<TokenResult<CheckedDevice>> {
  const file = await readFile(device, fileIdentifier.deviceCertificates);
  if (!file.ok) return file;
  const content = file.value ?? Buffer.alloc(0);
  const [certificate] = readCertificates(content);
  return success({ report: checkDevice(content, roots), certificate });
}

/**
 * Checks the device and all of its keys. What does not verify is an answer, not a failure. No PIN is needed.
 * @param roots the vendor's in production; a test adds its own
 */
export async function attest(device: Device, roots: readonly CvCertificate[]): Promise<TokenResult<AttestationReport>> {
  const checked = await readDevice(device, roots);
  if (!checked.ok) return checked;
  const { report, certificate } = checked.value;
  const keys = await readKeys(device);
  if (!keys.ok) return keys;
  const reports: KeyReport[] = [];
  for (const { number, description } of keys.value) {
    const file = await readFile(device, (filePrefix.certificate << 8) | number);
    if (!file.ok) return file;
    const { label, id } = description ?? { label: '', id: '' };
    reports.push({ label, id, ...checkKey(file.value ?? Buffer.alloc(0), certificate, report) });
  }
  return success({ device: report, keys: reports });
}

/** Where the request of the key with this id lies. Failure: Token_KeyMissing. */
async function findRequestFile(device: Device, keyId: string): Promise<TokenResult<number>> {
  const keys = await readKeys(device);
  if (!keys.ok) return keys;
  const key = keys.value.find(({ description }) => description?.id === keyId);
  return key === undefined
    ? failure('Token_KeyMissing', 'The device has no key with that id.', 'List its keys again.', { id: keyId })
    : success((filePrefix.certificate << 8) | key.number);
}

/**
 * Puts a request back that a certificate was to take the place of. Needs login.
 * Failures: Token_BadRequest where the bytes are no request, Token_KeyMissing, Token_NotLoggedIn.
 */
export async function restoreKeyRequest(
  device: Device,
  keyId: string,
  request: Buffer,
): Promise<TokenResult<Record<string, never>>> {
  if (readAuthenticatedRequest(request) === undefined) {
    return failure(
      'Token_BadRequest',
      'The bytes are no certificate request of a key.',
      'Choose the file that was kept.',
    );
  }
  const identifier = await findRequestFile(device, keyId);
  if (!identifier.ok) return identifier;
  // What is there may be longer, and a write never shortens a file.
  const deleted = await deleteFile(device, identifier.value);
  return deleted.ok ? writeFile(device, identifier.value, request) : deleted;
}

/**
 * One key's request as it lies on the card, checked like all of them; empty where a certificate has taken its place.
 * No PIN is needed. Failure: Token_KeyMissing.
 * @param keyId CKA_ID, hex
 */
export async function readKeyRequest(
  device: Device,
  keyId: string,
  roots: readonly CvCertificate[],
): Promise<TokenResult<{ readonly request: Buffer } & Omit<KeyReport, 'label' | 'id'>>> {
  const identifier = await findRequestFile(device, keyId);
  if (!identifier.ok) return identifier;
  const file = await readFile(device, identifier.value);
  if (!file.ok) return file;
  const content = file.value ?? Buffer.alloc(0);
  const checked = await readDevice(device, roots);
  if (!checked.ok) return checked;
  return success({
    request: readAuthenticatedRequest(content) === undefined ? Buffer.alloc(0) : content,
    ...checkKey(content, checked.value.certificate, checked.value.report),
  });
}
