/**
 * A public key in the forms that other programs take: PEM, an OpenSSH line, JWK. Pure: reads DER by hand, so that
 * a window may use it as well as the command line. Not every key exists in every form; then the form says why.
 */
import { failure, success } from './failures.ts';
import type { Result } from './failures.ts';

export type PublicKeyForm =
  { readonly available: true; readonly text: string } | { readonly available: false; readonly why: string };

export interface PublicKeyForms {
  /** 'RSA 2048', 'EC P-256', 'EC brainpoolP256r1' */
  readonly kind: string;
  /** SubjectPublicKeyInfo (RFC 7468, section 13), with a final line break. */
  readonly pem: PublicKeyForm;
  /** One line of authorized_keys (RFC 4253, section 6.6; RFC 5656, section 3.1), without a line break. */
  readonly openSsh: PublicKeyForm;
  /** RFC 7517, on one line. */
  readonly jwk: PublicKeyForm;
}

interface Curve {
  /** Name as people say it. */
  readonly name: string;
  /** Name in OpenSSH, '' where it knows none. */
  readonly openSsh: string;
  /** Name in the IANA registry of JWK curves, '' where there is none. */
  readonly jwk: string;
}

/** By object identifier, in DER, hex. SEC 2, RFC 5480, RFC 5639, RFC 8812. */
const curves: Readonly<Record<string, Curve>> = {
  '2a8648ce3d030101': { name: 'P-192', openSsh: '', jwk: '' },
  '2b81040021': { name: 'P-224', openSsh: '', jwk: '' },
  '2a8648ce3d030107': { name: 'P-256', openSsh: 'nistp256', jwk: 'P-256' },
  '2b81040022': { name: 'P-384', openSsh: 'nistp384', jwk: 'P-384' },
  '2b81040023': { name: 'P-521', openSsh: 'nistp521', jwk: 'P-521' },
  '2b8104001f': { name: 'secp192k1', openSsh: '', jwk: '' },
  '2b8104000a': { name: 'secp256k1', openSsh: '', jwk: 'secp256k1' },
  '2b2403030208010103': { name: 'brainpoolP192r1', openSsh: '', jwk: '' },
  '2b2403030208010105': { name: 'brainpoolP224r1', openSsh: '', jwk: '' },
  '2b2403030208010107': { name: 'brainpoolP256r1', openSsh: '', jwk: '' },
  '2b2403030208010109': { name: 'brainpoolP320r1', openSsh: '', jwk: '' },
  '2b240303020801010b': { name: 'brainpoolP384r1', openSsh: '', jwk: '' },
  '2b240303020801010d': { name: 'brainpoolP512r1', openSsh: '', jwk: '' },
};

const rsaEncryption = '2a864886f70d010101';
const ecPublicKey = '2a8648ce3d0201';

const tags = { integer: 0x02, bitString: 0x03, objectIdentifier: 0x06, sequence: 0x30 } as const;

/** One element of DER at an offset; undefined where the bytes are none. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Offset behind the element. */
  readonly end: number;
}

function readElement(bytes: Uint8Array, offset: number): Element | undefined {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) return undefined;
  let start = offset + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // A public key is far below 2^24 bytes; X.690 8.1.3.6 (indefinite length) is no DER.
    if (count === 0 || count > 3) return undefined;
    length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[start + index] ?? Number.NaN);
    start += count;
  }
  const end = start + length;
  return Number.isNaN(length) || end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

/** All elements of a constructed one; undefined where they do not fill it. */
function readElements(bytes: Uint8Array): readonly Element[] | undefined {
  const elements: Element[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const element = readElement(bytes, offset);
    if (element === undefined) return undefined;
    elements.push(element);
    offset = element.end;
  }
  return elements;
}

/** The one sequence that these bytes are. */
function readSequence(bytes: Uint8Array): readonly Element[] | undefined {
  const element = readElement(bytes, 0);
  return element?.tag === tags.sequence && element.end === bytes.length ? readElements(element.content) : undefined;
}

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    const characters = Math.min(4, bytes.length - index + 1);
    for (let place = 0; place < 4; place += 1)
      text += place < characters ? (base64Alphabet[(group >> (18 - 6 * place)) & 0x3f] ?? '') : '=';
  }
  return text;
}

const toBase64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** RFC 4251, section 5: a length of four bytes, then the bytes. */
function sshString(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  return concatenate([
    Uint8Array.of((length >>> 24) & 0xff, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff),
    bytes,
  ]);
}

/** A comment takes no line break and nothing that ends the line for sshd. */
const commentOf = (comment: string): string =>
  Array.from(comment)
    .filter((character) => character >= ' ' && character !== '\u007f')
    .join('')
    .trim();

function sshLine(type: string, fields: readonly Uint8Array[], comment: string): PublicKeyForm {
  const blob = toBase64(concatenate([sshString(ascii(type)), ...fields.map(sshString)]));
  return { available: true, text: [type, blob, commentOf(comment)].filter((part) => part !== '').join(' ') };
}

function pemOf(spki: Uint8Array): PublicKeyForm {
  const lines = toBase64(spki).match(/.{1,64}/gu) ?? [];
  return { available: true, text: `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n` };
}

/** A positive INTEGER without its sign byte; undefined for none, zero and negative ones. */
function unsignedOf(element: Element | undefined): Uint8Array | undefined {
  if (element?.tag !== tags.integer || element.content.length === 0) return undefined;
  const [first] = element.content;
  if (first === undefined || first >= 0x80) return undefined;
  const start = element.content.findIndex((byte) => byte !== 0);
  return start < 0 ? undefined : element.content.subarray(start);
}

/** RFC 4251's mpint is two's complement: a leading bit that is set takes a zero byte before it. */
const mpint = (unsigned: Uint8Array): Uint8Array =>
  (unsigned[0] ?? 0) >= 0x80 ? concatenate([Uint8Array.of(0), unsigned]) : unsigned;

/** RFC 8017, appendix A.1.1: RSAPublicKey in the bit string. */
function rsaForms(spki: Uint8Array, key: Uint8Array, comment: string): PublicKeyForms | undefined {
  const [n, e, ...more] = readSequence(key) ?? [];
  const modulus = unsignedOf(n);
  const exponent = unsignedOf(e);
  if (modulus === undefined || exponent === undefined || more.length > 0) return undefined;
  const bits = (modulus.length - 1) * 8 + (32 - Math.clz32(modulus[0] ?? 0));
  return {
    kind: `RSA ${bits.toString()}`,
    pem: pemOf(spki),
    openSsh: sshLine('ssh-rsa', [mpint(exponent), mpint(modulus)], comment),
    jwk: {
      available: true,
      text: JSON.stringify({ kty: 'RSA', n: toBase64Url(modulus), e: toBase64Url(exponent) }),
    },
  };
}

const uncompressed = 0x04;

/** RFC 5480, section 2: the curve in the parameters, the point (SEC 1, section 2.3.3) in the bit string. */
function ecForms(
  spki: Uint8Array,
  parameters: Element | undefined,
  point: Uint8Array,
  comment: string,
): PublicKeyForms | undefined {
  if (point.length < 2) return undefined;
  const curve = parameters?.tag === tags.objectIdentifier ? curves[toHex(parameters.content)] : undefined;
  const kind = `EC ${curve?.name ?? 'with a curve of its own'}`;
  const none = (form: string, has: string): PublicKeyForm | undefined => {
    if (has === '')
      return { available: false, why: `${form} has no name for the curve ${curve?.name ?? 'of this key'}.` };
    if (point[0] === uncompressed && point.length % 2 === 1) return undefined;
    return { available: false, why: `${form} needs the whole point of the key, which the token gives compressed.` };
  };
  const openSsh = curve?.openSsh ?? '';
  const crv = curve?.jwk ?? '';
  const half = (point.length - 1) / 2;
  return {
    kind,
    pem: pemOf(spki),
    openSsh: none('OpenSSH', openSsh) ?? sshLine(`ecdsa-sha2-${openSsh}`, [ascii(openSsh), point], comment),
    jwk: none('JWK', crv) ?? {
      available: true,
      text: JSON.stringify({
        kty: 'EC',
        crv,
        x: toBase64Url(point.subarray(1, 1 + half)),
        y: toBase64Url(point.subarray(1 + half)),
      }),
    },
  };
}

/**
 * The forms of a public key.
 * @param spki DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) of an RSA or EC key
 * @param comment what stands at the end of the OpenSSH line: the key's label
 * @returns Token_KeyUnsuitable for anything else
 */
export function publicKeyForms(spki: Uint8Array, comment: string): Result<PublicKeyForms, 'Token_KeyUnsuitable'> {
  const [algorithm, bits, ...more] = readSequence(spki) ?? [];
  const [oid, parameters] = (algorithm?.tag === tags.sequence ? readElements(algorithm.content) : undefined) ?? [];
  // The first byte of a BIT STRING counts its unused bits, of which a key has none.
  const key = bits?.tag === tags.bitString && bits.content[0] === 0 ? bits.content.subarray(1) : undefined;
  if (oid?.tag === tags.objectIdentifier && key !== undefined && more.length === 0) {
    const name = toHex(oid.content);
    const forms =
      name === rsaEncryption
        ? rsaForms(spki, key, comment)
        : name === ecPublicKey
          ? ecForms(spki, parameters, key, comment)
          : undefined;
    if (forms !== undefined) return success(forms);
  }
  return failure(
    'Token_KeyUnsuitable',
    'This is no RSA or EC public key in the form that certificates use.',
    'Choose another key; export this one with the tool of the token’s vendor.',
  );
}
