import pkcs11js, { type Handle } from 'pkcs11js';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenHostReply } from '../protocol.ts';
import { keyAbsent, severalKeys, type KeyName } from './key-objects.ts';
import { findTrialKey, tryDerivation, tryOaep, type TrialKey, type TrialProblem } from './key-trials.ts';
import type { Login, TokenModule } from './module.ts';
import { findObjects, readAttribute } from './objects.ts';
import { attempt, failureOfReturnValue, type TokenResult } from './return-values.ts';
import { withLogin } from './sessions.ts';
import { searchTemplate } from './templates.ts';
import { findToken } from './tokens.ts';
import { chooseWrappingMechanism, type WrappingChoice } from './wrapping-mechanism.ts';

type Ability = TokenHostReply<'token.wrapping-ability'>;
type Offer = Omit<Ability, 'choice'>;
type State = Offer['oaepSha1'];

/**
 * OpenSC below 0.25.1 unpads PKCS #1 v1.5 on the host in a time that depends on the padding (its issue 2948 and
 * release notes of 0.25.0 and 0.25.1). CK_INFO has no third number, so all of 0.25 counts as unsafe.
 */
function isPkcs1Unsafe({ manufacturer, libraryVersion }: TokenModule): boolean {
  const [major = 0, minor = 0] = libraryVersion.split('.').map(Number);
  return manufacturer === 'OpenSC Project' && major === 0 && minor <= 25;
}

/** Failures: what C_GetMechanismList answered. */
function readOffer(module: TokenModule, slot: Handle): TokenResult<Offer> {
  const { cryptoki } = module;
  const list = attempt(() => cryptoki.C_GetMechanismList(slot));
  if (!list.ok) return failureOfReturnValue(list.returnValue);
  const offers = (mechanism: number, use: number): boolean => {
    if (!list.value.includes(mechanism)) return false;
    const information = attempt(() => cryptoki.C_GetMechanismInfo(slot, mechanism));
    return information.ok && (information.value.flags & use) !== 0;
  };
  const state = (offered: boolean): State => (offered ? 'offered' : 'absent');
  // The list does not say which hashes OAEP takes: each is found out by trying.
  const oaep = state(offers(pkcs11js.CKM_RSA_PKCS_OAEP, pkcs11js.CKF_DECRYPT));
  const pkcs1 = offers(pkcs11js.CKM_RSA_PKCS, pkcs11js.CKF_DECRYPT);
  return success({
    oaepSha1: oaep,
    oaepSha256: oaep,
    ecdh: state(offers(pkcs11js.CKM_ECDH1_DERIVE, pkcs11js.CKF_DERIVE)),
    pkcs1: pkcs1 ? (isPkcs1Unsafe(module) ? 'unsafe' : 'offered') : 'absent',
  });
}

function outcome(state: State, trial: () => TrialProblem | undefined): State {
  if (state === 'absent') return state;
  const problem = trial();
  if (problem === undefined) return state;
  return problem === '' ? 'works' : 'fails';
}

function tryOut(offer: Offer, key: TrialKey): Offer {
  if (key.publicKey.kind === 'EC') return { ...offer, ecdh: outcome(offer.ecdh, () => tryDerivation(key)) };
  if (key.publicKey.kind !== 'RSA') return offer;
  return {
    ...offer,
    oaepSha1: outcome(offer.oaepSha1, () => tryOaep(key, 'sha1')),
    oaepSha256: outcome(offer.oaepSha256, () => tryOaep(key, 'sha256')),
  };
}

/** What a key wraps values with: the best that worked of what the token offers; undefined where nothing did. */
export function tryWrapping(key: TrialKey): TokenResult<WrappingChoice | undefined> {
  const offer = readOffer(key.module, key.slot);
  return offer.ok ? success(chooseWrappingMechanism(tryOut(offer.value, key))) : offer;
}

/** The one private key under a label. Failures: Token_KeyMissing, Token_KeyLabelDoubled. */
function nameByLabel(module: TokenModule, { session }: Login, label: string): TokenResult<KeyName> {
  const [key, another] = findObjects(module.cryptoki, session, searchTemplate(pkcs11js.CKO_PRIVATE_KEY, label));
  if (key === undefined) return keyAbsent({ id: '', label });
  if (another !== undefined) return severalKeys({ id: '', label });
  return success({ id: readAttribute(module.cryptoki, session, key, pkcs11js.CKA_ID)?.toString('hex') ?? '', label });
}

/**
 * What a token can wrap with: its mechanism list, and with a key's label what works with that key when tried (needs
 * login then). Failures: Token_KeyMissing, Token_KeyLabelDoubled, Token_KeyUnsuitable, Token_NotLoggedIn.
 */
export function readWrappingAbility(module: TokenModule, serial: string, keyLabel: string): TokenResult<Ability> {
  const withChoice = (offer: Offer): Ability => ({ ...offer, choice: chooseWrappingMechanism(offer) ?? null });
  if (keyLabel === '') {
    const token = findToken(module, serial);
    if (!token.ok) return token;
    const offer = readOffer(module, token.value.slot);
    return offer.ok ? success(withChoice(offer.value)) : offer;
  }
  return withLogin(module, serial, (login) => {
    const offer = readOffer(module, login.slot);
    if (!offer.ok) return offer;
    const name = nameByLabel(module, login, keyLabel);
    if (!name.ok) return name;
    const key = findTrialKey(module, login, name.value);
    return key.ok ? success(withChoice(tryOut(offer.value, key.value))) : key;
  });
}
