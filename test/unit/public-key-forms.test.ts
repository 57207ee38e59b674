/** Public keys in other programs' forms, held against OpenSSL's and OpenSSH's own reading of them. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { PublicKeyForm, PublicKeyForms } from '../../electron/workflows/public-key-forms.ts';
import { publicKeyForms } from '../../electron/workflows/public-key-forms.ts';

const spkiOf = (key: { export(options: { type: 'spki'; format: 'der' }): Buffer }): Buffer =>
  key.export({ type: 'spki', format: 'der' });

const rsaOf = (modulusLength: number): Buffer =>
  spkiOf(generateKeyPairSync('rsa', { modulusLength, publicExponent: 0x10001 }).publicKey);
const ecOf = (namedCurve: string): Buffer => spkiOf(generateKeyPairSync('ec', { namedCurve }).publicKey);

function formsOf(spki: Uint8Array, comment = 'office'): PublicKeyForms {
  const forms = publicKeyForms(spki, comment);
  if (!forms.ok) throw new Error(forms.error.message);
  return forms.value;
}

function textOf(form: PublicKeyForm): string {
  if (!form.available) throw new Error(form.why);
  return form.text;
}

const jwkOf = (form: PublicKeyForm): Record<string, string> =>
  z.record(z.string(), z.string()).parse(JSON.parse(textOf(form)));

/** ssh-keygen turns an OpenSSH line into PKCS#8 PEM: what it read. */
function readByOpenSsh(line: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'key-custodian-ssh-'));
  try {
    const path = join(directory, 'key.pub');
    writeFileSync(path, `${line}\n`);
    return execFileSync('ssh-keygen', ['-e', '-m', 'PKCS8', '-f', path], { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const hasOpenSsh = ((): boolean => {
  try {
    execFileSync('ssh-keygen', ['-?'], { stdio: 'ignore' });
    return true;
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT');
  }
})();

/** The fields of an OpenSSH blob. */
function sshFields(line: string): Buffer[] {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  const fields: Buffer[] = [];
  for (let offset = 0; offset < blob.length;) {
    const length = blob.readUInt32BE(offset);
    fields.push(blob.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return fields;
}

describe('an RSA key', () => {
  it.each([1024, 2048, 3072])('of %i bits is the same key in every form', (bits) => {
    const spki = rsaOf(bits);
    const forms = formsOf(spki);
    expect(forms.kind).toBe(`RSA ${bits.toString()}`);
    expect(textOf(forms.pem)).toBe(
      createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' }),
    );
    const jwk = jwkOf(forms.jwk);
    expect(spkiOf(createPublicKey({ key: jwk, format: 'jwk' })).equals(spki)).toBe(true);
    const line = textOf(forms.openSsh);
    expect(line).toMatch(/^ssh-rsa [A-Za-z0-9+/]+={0,2} office$/u);
    const [type, exponent, modulus] = sshFields(line);
    expect(type?.toString()).toBe('ssh-rsa');
    expect(exponent?.toString('hex')).toBe('010001');
    expect(Buffer.from(jwk['n'] ?? '', 'base64url').equals(modulus?.subarray(1) ?? Buffer.alloc(0))).toBe(true);
    if (hasOpenSsh) expect(spkiOf(createPublicKey(readByOpenSsh(line))).equals(spki)).toBe(true);
  });
});

describe('an EC key', () => {
  it.each([
    ['prime256v1', 'P-256', 'ecdsa-sha2-nistp256'],
    ['secp384r1', 'P-384', 'ecdsa-sha2-nistp384'],
    ['secp521r1', 'P-521', 'ecdsa-sha2-nistp521'],
  ])('of %s is the same key in every form', (name, curve, type) => {
    const spki = ecOf(name);
    const forms = formsOf(spki);
    expect(forms.kind).toBe(`EC ${curve}`);
    const jwk = jwkOf(forms.jwk);
    expect(jwk).toMatchObject({ kty: 'EC', crv: curve });
    expect(spkiOf(createPublicKey({ key: jwk, format: 'jwk' })).equals(spki)).toBe(true);
    expect(textOf(forms.pem)).toBe(
      createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' }),
    );
    const line = textOf(forms.openSsh);
    expect(line.startsWith(`${type} `)).toBe(true);
    const half = Buffer.from(jwk['x'] ?? '', 'base64url').length;
    expect(sshFields(line).map((field) => field.length)).toEqual([19, 8, 1 + 2 * half]);
    if (hasOpenSsh) expect(spkiOf(createPublicKey(readByOpenSsh(line))).equals(spki)).toBe(true);
  });

  it.each(['brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'])('of %s says which forms do not exist', (name) => {
    const forms = formsOf(ecOf(name));
    expect(forms.kind).toBe(`EC ${name}`);
    expect(textOf(forms.pem)).toContain('BEGIN PUBLIC KEY');
    expect(forms.openSsh).toEqual({ available: false, why: `OpenSSH has no name for the curve ${name}.` });
    expect(forms.jwk).toEqual({ available: false, why: `JWK has no name for the curve ${name}.` });
  });

  it('of secp256k1 exists as JWK and not in OpenSSH', () => {
    const spki = ecOf('secp256k1');
    const forms = formsOf(spki);
    expect(spkiOf(createPublicKey({ key: jwkOf(forms.jwk), format: 'jwk' })).equals(spki)).toBe(true);
    expect(forms.openSsh.available).toBe(false);
  });

  it('with a compressed point says that the point is not there', () => {
    const spki = ecOf('prime256v1');
    const point = spki.subarray(-65);
    const compressed = Buffer.concat([
      Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
      Buffer.of(2 + ((point.at(-1) ?? 0) & 1)),
      point.subarray(1, 33),
    ]);
    const forms = formsOf(compressed);
    expect(forms.openSsh).toMatchObject({ available: false });
    expect(forms.jwk).toMatchObject({ available: false });
    expect(forms.pem.available).toBe(true);
  });
});

describe('the comment of an OpenSSH line', () => {
  it('never breaks the line', () => {
    const line = textOf(formsOf(rsaOf(1024), 'one\nssh-rsa AAAA two\u0000\r').openSsh);
    expect(line).not.toMatch(/[\n\r\u0000]/u);
    expect(line.split('\n')).toHaveLength(1);
  });

  it('may be absent', () => {
    expect(textOf(formsOf(rsaOf(1024), '').openSsh).split(' ')).toHaveLength(2);
  });
});

describe('anything else', () => {
  const good = rsaOf(1024);

  it('is refused: other algorithms, truncated and prolonged keys', () => {
    const ed25519 = spkiOf(generateKeyPairSync('ed25519').publicKey);
    for (const bytes of [ed25519, good.subarray(0, -1), Buffer.concat([good, Buffer.of(0)]), Buffer.alloc(0)])
      expect(publicKeyForms(bytes, '')).toMatchObject({ ok: false, error: { code: 'Token_KeyUnsuitable' } });
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(good.length - 1), fc.nat(255), (bytes, place, value) => {
        publicKeyForms(bytes, 'x');
        const damaged = Uint8Array.from(good);
        damaged[place] = value;
        publicKeyForms(damaged, 'x');
      }),
    );
  });
});
