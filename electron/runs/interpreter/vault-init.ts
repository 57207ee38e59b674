import { setTimeout as delay } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { secretPurpose } from '../../sealing/schema.ts';
import { bankVaultsTrialLabel, ownTrialLabel, rootLabel, unsealLabel } from '../../workflows/bank-vaults.ts';
import type { Effect } from '../../workflows/effects.ts';
import type { FailureCode, Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { compareEscrowWithSecret } from './cluster-secret.ts';
import { getEntry, getEscrow } from './escrow.ts';
import { withLogin } from './log-in.ts';
import { evidenceOfKey } from './token-setup.ts';
import { encryptToWrappingKey, sameBytes, sha256Hex, tryWrapping } from './wrapping.ts';

type EffectOf<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

export async function checkUninitialized(
  context: StepContext,
  effect: EffectOf<'vault.check-uninitialized'>,
): EffectResult {
  const { address } = effect.connection;
  const status = await context.ports.vault.sealStatus(effect.connection);
  if (!status.ok) return status;
  if (status.value.initialized) {
    return failure(
      'Vault_AlreadyInitialized',
      `The Vault at ${address} is initialised already. Nothing was changed.`,
      'Unseal it with the shares of that initialisation, or choose another Vault.',
      {
        address,
      },
    );
  }
  if (status.value.type !== 'shamir' || status.value.recoverySeal) {
    return failure(
      'Vault_NotShamir',
      `The Vault at ${address} unseals itself by “${status.value.type}”: it has no key shares to keep.`,
      'Choose a Vault with a Shamir seal.',
      { address },
    );
  }
  return done({
    vaultVersion: `${status.value.product} ${status.value.version}`,
    storageType: status.value.storageType,
    sealType: status.value.type,
  });
}

export async function checkRoom(context: StepContext, effect: EffectOf<'token.check-room'>): EffectResult {
  const { tokens } = context.ports;
  const key = await withLogin(context, effect.token, () => tokens.findWrappingKey(effect.token, effect.keyLabel));
  if (!key.ok) return key;
  const objects = await withLogin(context, effect.token, () => tokens.listObjects(effect.token));
  if (!objects.ok) return objects;
  const taken = objects.value.dataObjects.map(({ label }) => label).filter((label) => effect.labels.includes(label));
  if (taken.length > 0) {
    return failure(
      'Token_ObjectExists',
      `The token holds values of another Vault already: ${taken.join(', ')}.`,
      'Use another token, or remove these values first if that Vault is no more. bank-vaults finds values by these names alone, so one token serves one Vault.',
      { labels: taken.join(', ') },
    );
  }
  return done(evidenceOfKey(effect.keyLabel, key.value));
}

/** Removes what an interrupted attempt of this run may have left, known by its content. */
async function removeEarlierTrial(
  context: StepContext,
  effect: EffectOf<'token.trial-object'>,
): Promise<Result<unknown>> {
  const { tokens } = context.ports;
  const label = context.noted['trialLabel'];
  if (typeof label !== 'string') return success({});
  const left = await withLogin(context, effect.token, () => tokens.readData(effect.token, label));
  if (!left.ok) return left.error.code === 'Token_ObjectMissing' ? success({}) : left;
  return sha256Hex(left.value) === context.noted['trialSha256']
    ? withLogin(context, effect.token, () => tokens.deleteData(effect.token, label))
    : success({});
}

export async function storeTrialObject(context: StepContext, effect: EffectOf<'token.trial-object'>): EffectResult {
  const { tokens } = context.ports;
  const removed = await removeEarlierTrial(context, effect);
  if (!removed.ok) return removed;
  const key = await withLogin(context, effect.token, () => tokens.findWrappingKey(effect.token, effect.keyLabel));
  if (!key.ok) return key;
  const objects = await withLogin(context, effect.token, () => tokens.listObjects(effect.token));
  if (!objects.ok) return objects;
  const label = objects.value.dataObjects.some((object) => object.label === bankVaultsTrialLabel)
    ? ownTrialLabel
    : bankVaultsTrialLabel;
  const trial = randomBytes(32);
  const ciphertext = encryptToWrappingKey(key.value.publicKeySpki, trial, label);
  const noted = await context.note({ trialLabel: label, trialSha256: sha256Hex(ciphertext) });
  if (!noted.ok) return noted;
  const written = await withLogin(context, effect.token, () => tokens.writeData(effect.token, label, ciphertext));
  if (!written.ok) return written;
  const readBack = await withLogin(context, effect.token, () => tokens.readData(effect.token, label));
  if (!readBack.ok) return readBack;
  const verified = await withLogin(context, effect.token, () =>
    tokens.verifyDecrypt(effect.token, effect.keyLabel, readBack.value, sha256Hex(trial)),
  );
  const deleted = await withLogin(context, effect.token, () => tokens.deleteData(effect.token, label));
  if (!verified.ok) return verified;
  if (!verified.value.matches || !sameBytes(readBack.value, ciphertext)) {
    return failure(
      'Token_ObjectNotKept',
      'The trial object came back from the token other than it was written.',
      'Do not use this token. Nothing was done to Vault.',
    );
  }
  if (!deleted.ok) return deleted;
  const wrapping = await tryWrapping(context, effect.token, effect.keyLabel);
  return wrapping.ok ? done({ trialLabel: label, trialSha256: sha256Hex(ciphertext), ...wrapping.value }) : wrapping;
}

const evidenceOfEscrow = (effect: EffectOf<'vault.initialize'>, labels: readonly string[]) => ({
  shares: effect.shares,
  threshold: effect.threshold,
  labels: labels.join(' '),
});

export async function initializeVault(context: StepContext, effect: EffectOf<'vault.initialize'>): EffectResult {
  const { ports } = context;
  const present = await ports.escrow.read(context.runId);
  if (!present.ok) return present;
  if (present.value !== undefined)
    return foundDone(
      evidenceOfEscrow(
        effect,
        present.value.entries.map(({ label }) => label),
      ),
    );
  const key = await withLogin(context, effect.token, () => ports.tokens.findWrappingKey(effect.token, effect.keyLabel));
  if (!key.ok) return key;
  const checked = context.facts['publicKeySha256'];
  if (checked !== key.value.publicKeySha256) {
    return failure(
      'Token_KeyUnsuitable',
      'The token’s wrapping key is not the one that was checked at the start of this run.',
      'Find out who changed the token. Start a new run when it is settled.',
      {
        publicKeySha256: key.value.publicKeySha256,
      },
    );
  }
  const noted = await context.note({ requestSent: true });
  if (!noted.ok) return noted;
  const initialized = await ports.shares.initialize({
    runId: context.runId,
    connection: effect.connection,
    shares: effect.shares,
    threshold: effect.threshold,
    destinations: effect.destinations,
    rootToken: effect.rootToken,
    wrappingKeySpki: key.value.publicKeySpki,
    escrowPath: ports.escrow.path(context.runId),
  });
  if (!initialized.ok) {
    if (initialized.error.code === 'Vault_AlreadyInitialized' && context.noted['requestSent'] === true) {
      return failure(
        'Vault_InitReplyLost',
        'Vault has been initialised since this run first asked for it, and no reply was kept: its shares are lost, or somebody else has them.',
        'Nothing is stored in this Vault yet: erase its storage, set it up anew and start a new run.',
        { address: effect.connection.address },
      );
    }
    // Vault said, or was seen, not to have done it: a later attempt is no continuation of this one.
    if (initialized.error.code.startsWith('Vault_') && initialized.error.code !== 'Vault_InitReplyLost') {
      const withdrawn = await context.note({ requestSent: false });
      if (!withdrawn.ok) return withdrawn;
    }
    return initialized;
  }
  const escrow = await getEscrow(context);
  if (!escrow.ok) return escrow;
  return done(
    evidenceOfEscrow(
      effect,
      escrow.value.entries.map(({ label }) => label),
    ),
  );
}

export async function storeValue(context: StepContext, effect: EffectOf<'token.store-value'>): EffectResult {
  const { tokens, shares } = context.ports;
  const entry = await getEntry(context, effect.label);
  if (!entry.ok) return entry;
  const ciphertext = Buffer.from(entry.value.tokenCiphertext, 'base64');
  const evidence = { label: effect.label, size: ciphertext.length, ciphertextSha256: sha256Hex(ciphertext) };
  const present = await withLogin(context, effect.token, () => tokens.readData(effect.token, effect.label));
  if (present.ok && !sameBytes(present.value, ciphertext)) {
    return failure(
      'Token_ObjectExists',
      `Another value called ${effect.label} has come onto the token since this run checked it.`,
      'Find out where it comes from and remove it, then go on. This run’s value is safe on disk.',
      { label: effect.label },
    );
  }
  if (!present.ok) {
    if (present.error.code !== 'Token_ObjectMissing') return present;
    const written = await withLogin(context, effect.token, () =>
      tokens.writeData(effect.token, effect.label, ciphertext),
    );
    if (!written.ok) return written;
    const readBack = await withLogin(context, effect.token, () => tokens.readData(effect.token, effect.label));
    if (!readBack.ok) return readBack;
    if (!sameBytes(readBack.value, ciphertext)) {
      return failure(
        'Token_ObjectNotKept',
        `${effect.label} came back from the token other than it was written.`,
        'The token is not to be trusted. The value is safe on disk: do not abandon this run.',
      );
    }
  }
  // That it can be decrypted is shown for every value, those not used in the unseal that follows included.
  const recipient = await shares.sealingPublicKey();
  if (!recipient.ok) return recipient;
  const decrypted = await withLogin(context, effect.token, () =>
    tokens.decrypt(effect.token, effect.keyLabel, ciphertext, recipient.value, secretPurpose.share),
  );
  if (!decrypted.ok) return decrypted;
  return present.ok ? foundDone(evidence) : done(evidence);
}

/** A custodian's name as part of a file name: letters, digits and dashes. */
function fileNamePart(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
  return plain === '' ? 'custodian' : plain.slice(0, 60);
}

export async function deliverPgp(context: StepContext, effect: EffectOf<'pgp.deliver'>): EffectResult {
  const entry = await getEntry(context, effect.label);
  if (!entry.ok) return entry;
  if (entry.value.pgpMessage === '') {
    return failure(
      'Custody_EscrowDamaged',
      `The encrypted copy on disk holds no PGP message for ${effect.label}.`,
      'Keep the file and do not abandon this run.',
      { label: effect.label },
    );
  }
  const message = Buffer.from(entry.value.pgpMessage, 'base64');
  const written = await context.ports.outbox.write(
    context.runId,
    `${effect.label}-for-${fileNamePart(effect.custodian)}.pgp`,
    message,
  );
  if (!written.ok) return written;
  return done({
    label: effect.label,
    custodian: effect.custodian,
    fingerprint: effect.fingerprint,
    file: written.value.path,
    ciphertextSha256: sha256Hex(message),
  });
}

export async function handOut(context: StepContext, effect: EffectOf<'share.hand-out'>): EffectResult {
  const entry = await getEntry(context, effect.label);
  if (!entry.ok) return entry;
  const ciphertext = Buffer.from(entry.value.tokenCiphertext, 'base64');
  // The PIN is asked for before the custodian is called to the screen.
  const ready = await withLogin(context, effect.token, () =>
    context.ports.tokens.findWrappingKey(effect.token, effect.keyLabel),
  );
  if (!ready.ok) return ready;
  const handed = await context.ports.prompt.handOut({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    custodian: effect.custodian,
    label: effect.label,
    vaultName: effect.vaultName,
    purpose: secretPurpose.shareForDisplay,
    sealTo: (recipient) =>
      context.ports.tokens.decrypt(effect.token, effect.keyLabel, ciphertext, recipient, secretPurpose.shareForDisplay),
  });
  return handed.ok ? done({ label: effect.label, custodian: effect.custodian, typedBack: true }) : handed;
}

export async function unsealFromEscrow(
  context: StepContext,
  effect: EffectOf<'vault.unseal-from-escrow'>,
): EffectResult {
  const { ports } = context;
  const escrow = await getEscrow(context);
  if (!escrow.ok) return escrow;
  const status = await ports.vault.sealStatus(effect.connection);
  if (!status.ok) return status;
  // Sealed since the initialisation, so that it is open means that these shares opened it in an earlier attempt.
  if (!status.value.sealed) return foundDone({ sharesProven: effect.threshold });
  const recipient = await ports.shares.sealingPublicKey();
  if (!recipient.ok) return recipient;
  for (let index = 0; index < effect.threshold; index += 1) {
    const entry = escrow.value.entries.find(({ label }) => label === unsealLabel(index));
    const ciphertext = Buffer.from(entry?.tokenCiphertext ?? '', 'base64');
    const sealed = await withLogin(context, effect.token, () =>
      ports.tokens.decrypt(effect.token, effect.keyLabel, ciphertext, recipient.value, secretPurpose.share),
    );
    if (!sealed.ok) return sealed;
    const submitted = await ports.shares.submitShare([effect.connection], sealed.value);
    if (!submitted.ok) return submitted;
    const result = submitted.value[0]?.result;
    if (result?.ok === false && result.error.code !== 'Vault_ShareDuplicate') return result;
    if (result?.ok === true && !result.value.sealed) return done({ sharesProven: index + 1 });
  }
  const after = await ports.vault.sealStatus(effect.connection);
  if (!after.ok) return after;
  return after.value.sealed
    ? failure(
        'Vault_Sealed',
        'Vault is still sealed after its own shares were given.',
        'Press the button again. If it stays so, keep this run open and look into Vault’s log.',
        { progress: after.value.progress },
      )
    : done({ sharesProven: effect.threshold });
}

/** A node that was unsealed a moment ago may not lead its cluster yet. */
const notLeadingYet: ReadonlySet<FailureCode> = new Set([
  'Vault_Standby',
  'Vault_Sealed',
  'Vault_Unavailable',
  'Vault_PerformanceStandby',
]);
const leadingDeadline = 30_000;
/** This run unsealed it, so a Vault that goes on being sealed was sealed again. */
const sealedDeadline = 8_000;

export async function revokeRoot(context: StepContext, effect: EffectOf<'vault.revoke-root'>): EffectResult {
  const { ports } = context;
  const entry = await getEntry(context, rootLabel);
  if (!entry.ok) return entry;
  const ciphertext = Buffer.from(entry.value.tokenCiphertext, 'base64');
  const recipient = await ports.shares.sealingPublicKey();
  if (!recipient.ok) return recipient;
  const begunBefore = context.noted['revoking'] === true;
  const noted = await context.note({ revoking: true });
  if (!noted.ok) return noted;
  const started = performance.now();
  for (;;) {
    const sealed = await withLogin(context, effect.token, () =>
      ports.tokens.decrypt(effect.token, effect.keyLabel, ciphertext, recipient.value, secretPurpose.share),
    );
    if (!sealed.ok) return sealed;
    const revoked = await ports.shares.revokeRootToken(effect.connection, sealed.value);
    if (revoked.ok) return done({ revoked: true });
    // A token that Vault does not know any more is what an earlier attempt of this step leaves.
    if (begunBefore && revoked.error.code === 'Vault_PermissionDenied') return foundDone({ revoked: true });
    const waited = performance.now() - started;
    if (revoked.error.code === 'Vault_Sealed' && waited > sealedDeadline) {
      return failure(
        'Vault_SealedByAnother',
        `The Vault at ${effect.connection.address} was unsealed by this run and is sealed again: somebody sealed it, or it was restarted.`,
        'Find out why, unseal it, and press the button again. Nothing is lost: the values are in their places.',
        { address: effect.connection.address },
      );
    }
    if (!notLeadingYet.has(revoked.error.code) || waited > leadingDeadline) return revoked;
    await delay(250);
  }
}

export async function removeEscrow(context: StepContext, effect: EffectOf<'escrow.remove'>): EffectResult {
  const { ports } = context;
  const read = await ports.escrow.read(context.runId);
  if (!read.ok) return read;
  const compared = effect.storedLabels.length + (effect.inSecret?.labels.length ?? 0);
  if (read.value === undefined) {
    if (context.noted['comparing'] === true) return foundDone({ compared, escrowRemoved: true });
    return getEscrow(context).then((escrow) => (escrow.ok ? done({}) : escrow));
  }
  for (const label of effect.storedLabels) {
    const stored = await withLogin(context, effect.token, () => ports.tokens.readData(effect.token, label));
    if (!stored.ok) return stored;
    const entry = read.value.entries.find((candidate) => candidate.label === label);
    if (entry === undefined || !sameBytes(stored.value, Buffer.from(entry.tokenCiphertext, 'base64'))) {
      return failure(
        'Token_ObjectNotKept',
        `${label} on the token is not what this run stored there.`,
        'Find out who changed the token. The encrypted copy on disk is kept.',
        { label },
      );
    }
  }
  if (effect.inSecret !== undefined) {
    const inSecret = await compareEscrowWithSecret(context, effect.inSecret);
    if (!inSecret.ok) return inSecret;
  }
  const noted = await context.note({ comparing: true });
  if (!noted.ok) return noted;
  const removed = await ports.escrow.remove(context.runId);
  return removed.ok ? done({ compared, escrowRemoved: true }) : removed;
}
