import pkcs11js from 'pkcs11js';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenHostReply } from '../protocol.ts';
import { type KeyName } from './key-objects.ts';
import {
  tryDerivation,
  tryEcSignature,
  tryOaep,
  tryRsaSignature,
  findTrialKey,
  type TrialKey,
  type TrialProblem,
} from './key-trials.ts';
import type { TokenModule } from './module.ts';
import { readBoolean } from './objects.ts';
import type { TokenResult } from './return-values.ts';
import { withLogin } from './sessions.ts';
import { tryWrapping } from './wrapping-ability.ts';

type KeyTest = TokenHostReply<'keys.test'>;

interface Trial {
  readonly name: string;
  /** The use that the key must allow. */
  readonly attribute: number;
  /** undefined: cannot be tried in this process. */
  run(key: TrialKey): TrialProblem | undefined;
}

const trialsByKind: Readonly<Record<string, readonly Trial[]>> = {
  RSA: [
    // SHA-1, which every token with OAEP does: this asks whether the key works, not what it is best used with.
    { name: 'decrypt (RSA-OAEP)', attribute: pkcs11js.CKA_DECRYPT, run: (key) => tryOaep(key, 'sha1') },
    { name: 'sign (RSA, SHA-256)', attribute: pkcs11js.CKA_SIGN, run: tryRsaSignature },
  ],
  EC: [
    { name: 'sign (ECDSA)', attribute: pkcs11js.CKA_SIGN, run: tryEcSignature },
    { name: 'derive (ECDH)', attribute: pkcs11js.CKA_DERIVE, run: tryDerivation },
  ],
};

function runTrials(key: TrialKey): Omit<KeyTest, 'wrapping'> {
  const { module, session, privateKey, publicKey } = key;
  const allowed = (trialsByKind[publicKey.kind] ?? []).filter(
    ({ attribute }) => readBoolean(module.cryptoki, session, privateKey, attribute) === true,
  );
  if (allowed.length === 0) {
    return { tried: [], passed: false, problem: 'The key allows no use that can be tried here.' };
  }
  const outcomes = allowed.map(({ name, run }) => ({ name, problem: run(key) }));
  const tried = outcomes.filter(({ problem }) => problem !== undefined);
  if (tried.length === 0) {
    return { tried: [], passed: false, problem: `This program cannot compute with keys on ${publicKey.curve}.` };
  }
  const problem = tried.map((outcome) => outcome.problem ?? '').find((text) => text !== '') ?? '';
  return { tried: tried.map(({ name }) => name), passed: problem === '', problem };
}

/** Whether something can be encrypted to the key, or agreed on with it. */
function isForWrapping({ module, session, privateKey, publicKey }: TrialKey): boolean {
  const use = publicKey.kind === 'EC' ? pkcs11js.CKA_DERIVE : pkcs11js.CKA_DECRYPT;
  return readBoolean(module.cryptoki, session, privateKey, use) === true;
}

/**
 * A round trip for every use that the key allows. A key that does not work is an answer (`passed` false), not a
 * failure. Needs login. Failures: Token_KeyMissing, Token_KeyLabelDoubled, Token_KeyUnsuitable (its public half is
 * nowhere), and what the token answers when it is gone.
 */
export function testKey(module: TokenModule, serial: string, name: KeyName): TokenResult<KeyTest> {
  return withLogin(module, serial, (login) => {
    const key = findTrialKey(module, login, name);
    if (!key.ok) return key;
    const trials = runTrials(key.value);
    if (!trials.passed || !isForWrapping(key.value)) return success({ ...trials, wrapping: null });
    const wrapping = tryWrapping(key.value);
    return wrapping.ok ? success({ ...trials, wrapping: wrapping.value ?? null }) : wrapping;
  });
}
