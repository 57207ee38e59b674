import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  isIssuedBy,
  isVouchedFor,
  readCertificate,
  readCertificateRequest,
} from '../fixtures/smartcard-hsm/crypto/cv-certificate-verification.ts';
import {
  certificateTags,
  encodeCertificateRequest,
  parseKeyPairTemplate,
  signatureAlgorithms,
  splitCertificates,
} from '../fixtures/smartcard-hsm/crypto/cv-certificate.ts';
import { curveNames, domainParameters } from '../fixtures/smartcard-hsm/crypto/curves.ts';
import {
  createTestVendor,
  issueDeviceIdentity,
  testDeviceIssuerReference,
} from '../fixtures/smartcard-hsm/crypto/device-identity.ts';
import { generateEcKey, generateRsaKey } from '../fixtures/smartcard-hsm/crypto/keys.ts';
import { encodeDataObject, readDataObject, readDataObjects } from '../fixtures/smartcard-hsm/crypto/tlv.ts';

const tag = certificateTags;
const serial = 'ZZTEST00001';

async function makeDevice() {
  const vendor = await createTestVendor();
  return { vendor, device: await issueDeviceIdentity(vendor, serial) };
}

describe('data objects', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535])('keeps a value of %i bytes', (length) => {
    const encoded = encodeDataObject(0x7f21, Buffer.alloc(length, 7));
    const read = readDataObject(Buffer.concat([encoded, Buffer.of(1, 2, 3)]));
    expect(read?.tag).toBe(0x7f21);
    expect(read?.value.length).toBe(length);
    expect(read?.encoded.equals(encoded)).toBe(true);
  });

  it.each(['', '42', '4203aabb', '7f', '5f2980', '4284000000010a', '420'])('refuses %j', (hex) => {
    expect(readDataObject(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  it('refuses a value with a rest that is no data object', () => {
    expect(readDataObjects(Buffer.from('420141ff', 'hex'))).toBeUndefined();
  });
});

describe('domain parameters', () => {
  it.each(curveNames)('have on %s the numbers that the openssl command prints', (curve) => {
    const printed = execFileSync('openssl', ['ecparam', '-name', curve, '-param_enc', 'explicit', '-text', '-noout'], {
      encoding: 'utf8',
    });
    const numbers = printed.replaceAll(/[\s:]/g, '').toLowerCase();
    const parameters = domainParameters(curve);
    for (const number of [parameters.prime, parameters.coefficientA, parameters.coefficientB, parameters.order]) {
      const digits = number.toString('hex').replace(/^0+/, '');
      expect(numbers).toContain(digits === '' ? 'a0' : digits);
    }
    expect(numbers).toContain(parameters.basePoint.toString('hex'));
  });
});

describe('device certificates', () => {
  it('lead from the device to the root of the test vendor', async () => {
    const { vendor, device } = await makeDevice();
    const file = Buffer.from(device.deviceAuthenticationFile, 'hex');
    const [deviceCertificate, issuerCertificate, ...more] = splitCertificates(file).map(readCertificate);
    const root = readCertificate(Buffer.from(vendor.rootCertificate, 'hex'));
    expect(more).toEqual([]);
    if (deviceCertificate === undefined || issuerCertificate === undefined)
      throw new Error('A certificate is missing.');
    expect(isIssuedBy(root, root)).toBe(true);
    expect(isIssuedBy(issuerCertificate, root)).toBe(true);
    expect(isIssuedBy(deviceCertificate, issuerCertificate)).toBe(true);
    expect([root.role, issuerCertificate.role, deviceCertificate.role]).toEqual([0xc0, 0x80, 0x00]);
    expect(issuerCertificate.holderReference).toBe(testDeviceIssuerReference);
    expect(deviceCertificate.holderReference).toBe(`${serial}00000`);
    // OpenSC reads EF.C_DevAut into 1024 bytes.
    expect(file.length).toBeLessThanOrEqual(1024);
  });

  it('of another vendor with the same names do not check', async () => {
    const { device } = await makeDevice();
    const other = await createTestVendor();
    const [, issuer] = splitCertificates(Buffer.from(device.deviceAuthenticationFile, 'hex'));
    if (issuer === undefined) throw new Error('The issuer is missing.');
    expect(isIssuedBy(readCertificate(issuer), readCertificate(Buffer.from(other.rootCertificate, 'hex')))).toBe(false);
  });

  it('survive JSON', async () => {
    const { vendor, device } = await makeDevice();
    expect(JSON.parse(JSON.stringify({ vendor, device }))).toEqual({ vendor, device });
  });

  it.each(['', 'AB', 'lower0001', 'TWELVECHARS1'])('are not made for the serial %j', async (wrong) => {
    await expect(createTestVendor().then((vendor) => issueDeviceIdentity(vendor, wrong))).rejects.toThrow(RangeError);
  });
});

describe('certificate requests', () => {
  it.each(curveNames)('for %s are signed by the key and by the device', async (curve) => {
    const { device } = await makeDevice();
    const key = await generateEcKey(curve);
    const encoded = encodeCertificateRequest({
      key,
      authorityReference: 'UTCA00001',
      holderReference: `${serial}00001`,
      device,
    });
    const request = readCertificateRequest(encoded);
    const [own] = splitCertificates(Buffer.from(device.deviceAuthenticationFile, 'hex'));
    if (own === undefined) throw new Error('The device has no certificate.');
    expect(isVouchedFor(request, readCertificate(own))).toBe(true);
    expect(request.certificate.authorityReference).toBe('UTCA00001');
    expect(request.certificate.holderReference).toBe(`${serial}00001`);
    expect(request.outerAuthorityReference).toBe(`${serial}00000`);
    // A changed byte in any part is noticed.
    for (const at of [encoded.indexOf('UTCA'), encoded.lastIndexOf(serial), encoded.length - 1]) {
      const changed = Buffer.from(encoded);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(isVouchedFor(readCertificateRequest(changed), readCertificate(own))).toBe(false);
    }
  });

  it('for RSA carries modulus and exponent', async () => {
    const { device } = await makeDevice();
    const key = await generateRsaKey(2048);
    const request = readCertificateRequest(
      encodeCertificateRequest({ key, authorityReference: 'UTCA00001', holderReference: `${serial}00001`, device }),
    );
    const [own] = splitCertificates(Buffer.from(device.deviceAuthenticationFile, 'hex'));
    if (own === undefined) throw new Error('The device has no certificate.');
    expect(isVouchedFor(request, readCertificate(own))).toBe(true);
    expect(request.certificate.publicKey.asymmetricKeyDetails).toEqual({
      modulusLength: 2048,
      publicExponent: 65_537n,
    });
  });
});

describe('what a terminal asks of GENERATE ASYMMETRIC KEY PAIR', () => {
  const names = [
    encodeDataObject(tag.profile, Buffer.of(0)),
    encodeDataObject(tag.authorityReference, Buffer.from('UTCA00001')),
  ];
  const holder = encodeDataObject(tag.holderReference, Buffer.from(`${serial}00001`));
  const template = (...publicKey: readonly Buffer[]): Buffer =>
    Buffer.concat([...names, encodeDataObject(tag.publicKey, ...publicKey), holder]);
  const rsa = encodeDataObject(0x06, signatureAlgorithms.rsaSha256);
  const ecdsa = encodeDataObject(0x06, signatureAlgorithms.ecdsaSha256);

  it('is read for RSA', () => {
    const data = template(
      rsa,
      encodeDataObject(0x82, Buffer.of(1, 0, 1)),
      encodeDataObject(0x02, Buffer.of(0x0c, 0x00)),
    );
    expect(parseKeyPairTemplate(data)).toEqual({
      ok: true,
      value: {
        authorityReference: 'UTCA00001',
        holderReference: `${serial}00001`,
        key: { kind: 'rsa', bits: 3072, publicExponent: Buffer.of(1, 0, 1) },
      },
    });
  });

  it.each(curveNames)('is read for %s', (curve) => {
    const parameters = domainParameters(curve);
    const data = template(
      ecdsa,
      encodeDataObject(0x81, parameters.prime),
      encodeDataObject(0x82, parameters.coefficientA),
      encodeDataObject(0x83, parameters.coefficientB),
      encodeDataObject(0x84, parameters.basePoint),
      encodeDataObject(0x85, parameters.order),
      encodeDataObject(0x87, parameters.cofactor),
    );
    expect(parseKeyPairTemplate(data)).toMatchObject({ ok: true, value: { key: { kind: 'ec', curve } } });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no public key', Buffer.concat([...names, holder])],
    ['no algorithm', template(encodeDataObject(0x02, Buffer.of(8, 0)))],
    ['another size', template(rsa, encodeDataObject(0x02, Buffer.of(5, 0)))],
    [
      'an unknown curve',
      template(ecdsa, encodeDataObject(0x81, Buffer.alloc(32, 1)), encodeDataObject(0x82, Buffer.of(1))),
    ],
    ['half a data object', template(rsa, Buffer.of(0x02, 0x02, 0x08))],
    ['garbage', Buffer.from('ffffff', 'hex')],
  ])('is refused with %s', (_what, data) => {
    expect(parseKeyPairTemplate(data)).toEqual({ ok: false, statusWord: 0x6a80 });
  });
});
