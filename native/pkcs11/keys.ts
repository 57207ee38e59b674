import { randomBytes } from 'node:crypto';
import pkcs11js, { type Handle, type Mechanism, type Template } from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import { wrappingCurves } from '../../electron/hosts/value-wrapping.ts';
import { isCurve, type WrappingKeyKind } from '../../electron/workflows/key-kinds.ts';
import type { TokenHostReply } from '../protocol.ts';
import { curveParameters, namedCurveByName } from './curves.ts';
import type { Login, PrivateKeyHandle, TokenModule } from './module.ts';
import { findObjects, readAttribute, readBoolean, readNumber, readText } from './objects.ts';
import { readPublicKey, withoutLeadingZeros } from './public-keys.ts';
import { attempt, failureOfReturnValue, type TokenResult } from './return-values.ts';
import { withFreshSession, withLogin } from './sessions.ts';
import {
  curveKeyPairMechanism,
  curveKeyPairTemplates,
  keyPairMechanism,
  keyPairTemplates,
  searchTemplate,
} from './templates.ts';

export type WrappingKeyReply = TokenHostReply<'findWrappingKey'>;

interface Halves {
  readonly publicKeys: readonly Handle[];
  readonly privateKeys: readonly Handle[];
}

function findHalves(module: TokenModule, session: Handle, label: string): Halves {
  return {
    publicKeys: findObjects(module.cryptoki, session, searchTemplate(pkcs11js.CKO_PUBLIC_KEY, label)),
    privateKeys: findObjects(module.cryptoki, session, searchTemplate(pkcs11js.CKO_PRIVATE_KEY, label)),
  };
}

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

function doubled(label: string, { publicKeys, privateKeys }: Halves): Refused {
  return failure(
    'Token_KeyLabelDoubled',
    `There is more than one key pair “${label}” on the token. bank-vaults would then make yet another one and not find its values again.`,
    'Find out which pair the stored values belong to, and remove or rename the other one with a PKCS#11 tool.',
    { label, publicKeys: publicKeys.length, privateKeys: privateKeys.length },
  );
}

function unsuitable(label: string, why: string): Refused {
  return failure(
    'Token_KeyUnsuitable',
    `The key “${label}” cannot be used for wrapping: ${why}.`,
    'Choose the label of a pair that was made for wrapping, or make a new one.',
    { label },
  );
}

const wrongCurve = `its curve is none of ${wrappingCurves.join(', ')}`;

/** A private half that is of another kind, or not for this use. */
function refuseUse(module: TokenModule, session: Handle, label: string, privateKey: Handle): Refused | undefined {
  const { cryptoki } = module;
  switch (readNumber(cryptoki, session, privateKey, pkcs11js.CKA_KEY_TYPE)) {
    case pkcs11js.CKK_RSA:
      return readBoolean(cryptoki, session, privateKey, pkcs11js.CKA_DECRYPT) === false
        ? unsuitable(label, 'its private half may not decrypt')
        : undefined;
    case pkcs11js.CKK_EC:
      return readBoolean(cryptoki, session, privateKey, pkcs11js.CKA_DERIVE) === false
        ? unsuitable(label, 'its private half may not derive')
        : undefined;
    default:
      return unsuitable(label, 'it is neither an RSA key nor one of a curve');
  }
}

/** Failures: Token_KeyMissing, Token_KeyIncomplete, Token_KeyLabelDoubled, Token_KeyUnsuitable. */
function readWrappingKey(module: TokenModule, session: Handle, label: string): TokenResult<WrappingKeyReply> {
  const { cryptoki } = module;
  const halves = findHalves(module, session, label);
  const [publicKey] = halves.publicKeys;
  const [privateKey] = halves.privateKeys;
  if (halves.publicKeys.length > 1 || halves.privateKeys.length > 1) return doubled(label, halves);
  if (publicKey === undefined && privateKey === undefined) return keyMissing(label);
  if (publicKey === undefined || privateKey === undefined) {
    return failure(
      'Token_KeyIncomplete',
      `Only the ${publicKey === undefined ? 'private' : 'public'} half of the key pair “${label}” is on the token.`,
      'Use another label, or restore the missing half.',
      { label },
    );
  }
  const refused = refuseUse(module, session, label, privateKey);
  if (refused !== undefined) return refused;
  const key = readPublicKey(cryptoki, session, publicKey);
  if (key === undefined || key.kind === '') return unsuitable(label, 'its public half cannot be read');
  if (key.kind === 'EC' && !wrappingCurves.includes(key.curve)) return unsuitable(label, wrongCurve);
  const own = readPublicKey(cryptoki, session, privateKey);
  if (own !== undefined && own.sha256 !== key.sha256) return unsuitable(label, 'its two halves do not belong together');
  return success({
    id: readAttribute(cryptoki, session, publicKey, pkcs11js.CKA_ID)?.toString('hex') ?? '',
    publicKeySpki: key.spki.toString('base64'),
    publicKeySha256: key.sha256,
    modulusBits: key.bits,
  });
}

function keyMissing(label: string): Refused {
  return failure(
    'Token_KeyMissing',
    `There is no key pair “${label}” on the token.`,
    'Make the key pair first, or choose the token that has it.',
    { label },
  );
}

/** The one wrapping key under a label. Needs login, since private keys are not seen without. */
export function findWrappingKey(module: TokenModule, serial: string, label: string): TokenResult<WrappingKeyReply> {
  return withLogin(module, serial, ({ session }) => readWrappingKey(module, session, label));
}

interface KeyMaking {
  readonly mechanism: Mechanism;
  readonly templates: (label: string, id: Buffer) => { readonly publicKey: Template; readonly privateKey: Template };
  /** What the pair is used with later. */
  readonly usedBy: number;
  readonly bits: number;
  /** 'RSA keys', for people. */
  readonly name: string;
}

function makingOf(kind: WrappingKeyKind): KeyMaking {
  const parameters = isCurve(kind) ? curveParameters(kind) : undefined;
  if (isCurve(kind) && parameters !== undefined) {
    return {
      mechanism: curveKeyPairMechanism,
      templates: (label, id) => curveKeyPairTemplates(label, parameters, id),
      usedBy: pkcs11js.CKM_ECDH1_DERIVE,
      bits: namedCurveByName(kind)?.bits ?? 0,
      name: 'keys of curves',
    };
  }
  const modulusBits = isCurve(kind) ? 0 : kind;
  return {
    mechanism: keyPairMechanism,
    templates: (label, id) => keyPairTemplates(label, modulusBits, id),
    usedBy: pkcs11js.CKM_RSA_PKCS_OAEP,
    bits: modulusBits,
    name: 'RSA keys',
  };
}

/** Failures: Token_MechanismUnsupported, Token_KeySizeUnsupported. */
function checkMechanisms(module: TokenModule, slot: Handle, making: KeyMaking): Refused | undefined {
  const generation = attempt(() => module.cryptoki.C_GetMechanismInfo(slot, making.mechanism.mechanism));
  if (!generation.ok) return failureOfReturnValue(generation.returnValue);
  const use = attempt(() => module.cryptoki.C_GetMechanismInfo(slot, making.usedBy));
  if (!use.ok) return failureOfReturnValue(use.returnValue);
  const { minKeySize: minimum, maxKeySize: maximum } = generation.value;
  const { bits, name } = making;
  if (bits < minimum || (maximum > 0 && bits > maximum)) {
    return failure(
      'Token_KeySizeUnsupported',
      `The token makes ${name} of ${minimum} to ${maximum} bits, not ${bits}.`,
      'Choose a size within these limits.',
      { minimum, maximum, bits },
    );
  }
  return undefined;
}

/**
 * Makes a wrapping key pair, RSA or of a curve, and reads it back in a session of its own.
 * Failures: Token_KeyLabelInUse, Token_KeyLabelDoubled, Token_KeySizeUnsupported, Token_MechanismUnsupported,
 * Token_ObjectNotKept where the token did not keep the pair or made it readable.
 */
export function generateKeyPair(
  module: TokenModule,
  serial: string,
  label: string,
  kind: WrappingKeyKind,
): TokenResult<WrappingKeyReply> {
  const making = makingOf(kind);
  // Random, so that no two pairs on one token share it; 20 bytes like the SHA-1 ids that OpenSC makes.
  const id = randomBytes(20);
  const made = withLogin(module, serial, (login): TokenResult<Record<string, never>> => {
    const halves = findHalves(module, login.session, label);
    if (halves.publicKeys.length > 1 || halves.privateKeys.length > 1) return doubled(label, halves);
    if (halves.publicKeys.length > 0 || halves.privateKeys.length > 0) {
      return failure(
        'Token_KeyLabelInUse',
        `There is a key “${label}” on the token already. No second one was made, since bank-vaults finds keys by label alone.`,
        'Use the existing key pair, or choose another label.',
        { label },
      );
    }
    const unsupported = checkMechanisms(module, login.slot, making);
    if (unsupported !== undefined) return unsupported;
    const templates = making.templates(label, id);
    module.cryptoki.C_GenerateKeyPair(login.session, making.mechanism, templates.publicKey, templates.privateKey);
    return success({});
  });
  if (!made.ok) return made;
  return withFreshSession(module, serial, (session) => {
    const key = readWrappingKey(module, session, label);
    if (!key.ok) return key;
    if (
      key.value.id === id.toString('hex') &&
      key.value.modulusBits === making.bits &&
      isKeptSafe(module, session, label)
    ) {
      return key;
    }
    return failure(
      'Token_ObjectNotKept',
      `The token made the key pair “${label}”, but not as asked: kept for good, sensitive and not extractable.`,
      'Do not use this key; delete it with a PKCS#11 tool and use another token or module version.',
      { label },
    );
  });
}

/**
 * Kept for good, not extractable, and not to be read. Whether the private half can be read is tried, not asked for:
 * OpenSC says SENSITIVE=false of a key that it has just made on a SmartCard-HSM, and true once it is started anew.
 */
function isKeptSafe(module: TokenModule, session: Handle, label: string): boolean {
  const { cryptoki } = module;
  const { publicKeys, privateKeys } = findHalves(module, session, label);
  return (
    [...publicKeys, ...privateKeys].every(
      (half) => readBoolean(cryptoki, session, half, pkcs11js.CKA_TOKEN) === true,
    ) &&
    privateKeys.every(
      (half) =>
        readBoolean(cryptoki, session, half, pkcs11js.CKA_EXTRACTABLE) === false &&
        [pkcs11js.CKA_PRIVATE_EXPONENT, pkcs11js.CKA_VALUE].every(
          (secret) => readAttribute(cryptoki, session, half, secret) === undefined,
        ),
    )
  );
}

/** RFC 8017 allows up to 16384-bit moduli in SoftHSM; no plaintext is longer than its modulus. */
const modulusBytesUnknown = 2048;

/** The private key to decrypt with, looked up once per login. Failures: Token_KeyMissing, Token_KeyLabelDoubled, Token_KeyUnsuitable. */
export function findPrivateKey(module: TokenModule, login: Login, label: string): TokenResult<PrivateKeyHandle> {
  const known = login.privateKeys.get(label);
  if (known !== undefined) return success(known);
  const halves = findHalves(module, login.session, label);
  const [handle] = halves.privateKeys;
  if (handle === undefined) return keyMissing(label);
  if (halves.privateKeys.length > 1) return doubled(label, halves);
  const refused = refuseUse(module, login.session, label, handle);
  if (refused !== undefined) return refused;
  const { cryptoki } = module;
  let key: PrivateKeyHandle;
  if (readNumber(cryptoki, login.session, handle, pkcs11js.CKA_KEY_TYPE) === pkcs11js.CKK_EC) {
    const [half] = halves.publicKeys;
    const publicKey = half === undefined ? undefined : readPublicKey(cryptoki, login.session, half);
    if (publicKey === undefined) return unsuitable(label, 'its public half cannot be read');
    key = { handle, modulusBytes: 0, curveKeySha256: publicKey.sha256 };
  } else {
    const modulus = readAttribute(cryptoki, login.session, handle, pkcs11js.CKA_MODULUS);
    const modulusBytes = modulus === undefined ? modulusBytesUnknown : withoutLeadingZeros(modulus).length;
    key = { handle, modulusBytes, curveKeySha256: undefined };
  }
  login.privateKeys.set(label, key);
  return success(key);
}

/** More keys than any token for this purpose holds; a full one is not searched through. */
const privateKeysLookedUp = 8;

/**
 * Looks the private keys of a token up while nobody waits: right after a login, so that the first decrypt finds
 * its key known. What goes wrong here goes wrong again, and is said, where the key is needed.
 */
export function lookUpPrivateKeys(module: TokenModule, serial: string): void {
  withLogin(module, serial, (login) => {
    const { cryptoki } = module;
    const labels = new Set(
      findObjects(cryptoki, login.session, [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY }])
        .slice(0, privateKeysLookedUp)
        .map((handle) => readText(cryptoki, login.session, handle, pkcs11js.CKA_LABEL)),
    );
    for (const label of labels) findPrivateKey(module, login, label);
    return success({});
  });
}
