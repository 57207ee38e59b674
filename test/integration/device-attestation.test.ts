/** Attestation of devices and keys: verified up to a root, and everything that is not. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { attest, checkDevice, type AttestationReport } from '../../native/smartcard-hsm/attestation.ts';
import { readCertificate, type CvCertificate } from '../../native/smartcard-hsm/cv-certificate.ts';
import { withDevice } from '../../native/smartcard-hsm/device.ts';
import { isSignedBy } from '../../native/smartcard-hsm/signature-check.ts';
import { vendorRoots } from '../../native/smartcard-hsm/vendor-root.ts';
import { openDeviceBench, testPin, type DeviceBench } from '../fixtures/devices.ts';
import { createCard, defaultVendor, loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { createTestVendor } from '../fixtures/smartcard-hsm/crypto/device-identity.ts';
import type { CurveName } from '../fixtures/smartcard-hsm/crypto/curves.ts';
import { loadState, saveState, type CardState } from '../fixtures/smartcard-hsm/state.ts';
import { runPkcs11Tool } from '../fixtures/smartcard-hsm/tools.ts';
import { valueOf } from '../fixtures/token-port.ts';

const serial = 'ZZTEST00001';

let bench: DeviceBench;
let roots: readonly CvCertificate[];
let card: Card | undefined;

beforeAll(async () => {
  bench = await openDeviceBench();
  const root = readCertificate(Buffer.from((await defaultVendor()).rootCertificate, 'hex'));
  roots = root === undefined ? [] : [root];
});

afterEach(async () => {
  card?.unplug();
  card = undefined;
  await bench.closeHost();
});

afterAll(() => bench.close());

const attested = async (by = roots): Promise<AttestationReport> =>
  valueOf(await withDevice(serial, (device) => attest(device, by)));

/** The card with its state changed by hand, plugged in instead of the one before. */
async function withState(from: Card, change: (state: CardState) => void): Promise<void> {
  const state = loadState(from.save());
  change(state);
  card?.unplug();
  card = loadCard(saveState(state));
  await card.plugIn(0);
}

describe('the vendor’s root', () => {
  test('is the certificate that OpenSC ships, and signs itself', () => {
    const [root] = vendorRoots();
    expect(root).toMatchObject({ holderReference: 'DESRCACC100001', authorityReference: 'DESRCACC100001' });
    if (root?.publicKey === undefined) throw new Error('The root has no key.');
    expect(isSignedBy(root.publicKey, root.body, root.signature)).toBe(true);
    for (const at of [0, root.body.length - 1]) {
      const changed = Buffer.from(root.body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(isSignedBy(root.publicKey, changed, root.signature)).toBe(false);
    }
    const signature = Buffer.from(root.signature);
    signature[40] = (signature[40] ?? 0) ^ 1;
    expect(isSignedBy(root.publicKey, root.body, signature)).toBe(false);
    expect(isSignedBy(root.publicKey, root.body, Buffer.alloc(64))).toBe(false);
  });

  test('nothing is a device certificate that is none', () => {
    for (const file of [
      Buffer.alloc(0),
      Buffer.from('7f21', 'hex'),
      readFileSync('/usr/bin/sc-hsm-tool').subarray(0, 900),
    ]) {
      expect(checkDevice(file, vendorRoots()).state).toBe('absent');
    }
  });
});

describe('on a device with keys', () => {
  const curves: readonly CurveName[] = ['prime256v1', 'secp384r1', 'brainpoolP256r1'];
  let saved: ReturnType<Card['save']>;

  beforeAll(async () => {
    const made = createCard({ serial });
    await made.plugIn(0);
    valueOf(await bench.initialize(serial, { dkek: { kind: 'random' } }));
    const generate = (type: string, id: string) =>
      runPkcs11Tool(['--login', '--pin', testPin, '--keypairgen', '--key-type', type, '--id', id, '--label', type]);
    await generate('rsa:2048', '01');
    for (const [index, curve] of curves.entries()) await generate(`EC:${curve}`, `1${index}`);
    made.unplug();
    saved = made.save();
  });

  beforeEach(async () => {
    card = loadCard(saved);
    await card.plugIn(0);
  });

  test('the device and each key, RSA and EC, are verified up to the root; no PIN is sent', async () => {
    const report = await attested();
    expect(report.device).toEqual({
      state: 'verified',
      chain: [`${serial}00000`, 'ZZTESTDICA00001', 'ZZTESTSRCA00001'],
      problem: '',
    });
    expect(report.keys.map(({ id, state }) => [id, state])).toEqual([
      ['01', 'verified'],
      ...curves.map((_, index) => [`1${index}`, 'verified']),
    ]);
    expect(card?.exchanges.some(({ command }) => command.ins === 0x20 && command.data.length > 0)).toBe(false);
  });

  test('the shipped roots do not attest a test device, nor does another vendor', async () => {
    const throughHost = valueOf(await bench.port.attest(bench.token(serial)));
    expect(throughHost.device).toMatchObject({ state: 'unknown-root', chain: [`${serial}00000`, 'ZZTESTDICA00001'] });
    expect(throughHost.keys.every(({ state }) => state === 'absent')).toBe(true);
    const other = readCertificate(Buffer.from((await createTestVendor()).rootCertificate, 'hex'));
    expect((await attested(other === undefined ? [] : [other])).device.state).toBe('invalid');
  });

  test('a certificate that was changed, or is not there', async () => {
    const deviceCertificates = 0x2f02;
    await withState(loadCard(saved), ({ files }) => {
      const file = Buffer.from(files.get(deviceCertificates) ?? Buffer.alloc(0));
      // A bit of the device's public point.
      file[300] = (file[300] ?? 0) ^ 1;
      files.set(deviceCertificates, file);
    });
    expect((await attested()).device.state).toBe('invalid');
    await withState(loadCard(saved), ({ files }) => {
      const file = files.get(deviceCertificates) ?? Buffer.alloc(0);
      // The issuer's certificate, which follows the device's (7F21 82 and two bytes of length), is left out.
      files.set(deviceCertificates, file.subarray(0, 5 + file.readUInt16BE(3)));
    });
    const report = await attested();
    expect(report.device.state).toBe('absent');
    expect(report.keys.every(({ state }) => state === 'absent')).toBe(true);
  });

  test('requests that were changed, exchanged for a certificate, or are not there', async () => {
    const [first, second, third, fourth] = [0xce01, 0xce02, 0xce03, 0xce04];
    await withState(loadCard(saved), ({ files }) => {
      const changed = (identifier: number, fromEnd: number): void => {
        const file = Buffer.from(files.get(identifier) ?? Buffer.alloc(0));
        const at = file.length - fromEnd;
        file[at] = (file[at] ?? 0) ^ 1;
        files.set(identifier, file);
      };
      // The device's signature; then the key's own, in front of the device's reference and signature.
      changed(first, 5);
      changed(second, 64 + 3 + 18 + 5);
      files.set(third, Buffer.from('3003020100', 'hex'));
      files.delete(fourth);
    });
    const { device, keys } = await attested();
    expect(device.state).toBe('verified');
    expect(keys.map(({ state }) => state)).toEqual(['invalid', 'invalid', 'absent', 'absent']);
    expect(keys.map(({ problem }) => problem)).toEqual([
      'The request is not signed by the device that it names.',
      'The request is not signed by the key that it names.',
      'A certificate has taken the request’s place.',
      'There is no request.',
    ]);
  });

  test('a key that came from another device is not taken for one made here', async () => {
    if (card === undefined) throw new Error('no card');
    const from = card.state;
    card.unplug();
    const other = createCard({ serial });
    await other.plugIn(0);
    valueOf(await bench.initialize(serial, { dkek: { kind: 'random' } }));
    other.unplug();
    const state = loadState(other.save());
    state.deviceReference = from.deviceReference;
    for (const [identifier, file] of from.files) if (identifier >> 8 !== 0x2f) state.files.set(identifier, file);
    for (const [number, key] of from.keys) if (number !== 0) state.keys.set(number, key);
    card = loadCard(saveState(state));
    await card.plugIn(0);
    // Of the same name, but with another key of its own.
    expect((await attested()).keys.map(({ state: one }) => one)).toEqual(['invalid', 'invalid', 'invalid', 'invalid']);
  });
});
