import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { KnownVault, RunSnapshot } from '../core/core.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { Plan } from '../workflows/plans.ts';
import type { TokenStore, VaultConnection } from '../workflows/ports.ts';
import { addCommonOptions, commonShape, readOptions } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import type { Registry } from './registry.ts';
import { createRehearsalPrompt } from './rehearsal-prompt.ts';
import { carryOut, runValue, startOrResume } from './run-to-end.ts';
import { withSession } from './session.ts';
import type { Session } from './session.ts';
import { transcriptText } from './transcript-text.ts';

const rehearseShape = {
  ...commonShape,
  keep: z.boolean().default(false),
  discard: z.boolean().default(false),
  rootToken: z.enum(['token', 'revoked'], 'takes token or revoked').default('revoked'),
};

interface Stage {
  readonly store: TokenStore;
  readonly vault: KnownVault;
  readonly connection: VaultConnection;
}

/** Starts the rehearsal's store and server, or its server again, with how far it is. */
async function start(session: Session, how: 'start' | 'restartVault'): Promise<Result<Stage>> {
  const { core, progress } = session;
  const { rehearsal } = core;
  progress.begin(how === 'start' ? 'Starting the rehearsal' : 'Restarting the server');
  const unsubscribe = rehearsal.subscribe(() => {
    const { progressText, progressFraction } = rehearsal.current;
    if (progressText === '') return;
    progress.change(
      progressFraction < 0 ? progressText : `${progressText}  ${String(Math.floor(progressFraction * 100))} %`,
    );
  });
  const started = await rehearsal[how]();
  unsubscribe();
  if (!started.ok) {
    progress.failed(
      how === 'start' ? 'The rehearsal could not be started' : 'The server could not be restarted',
      started.error.code,
    );
    return started;
  }
  const { store, vault } = rehearsal;
  const connection = vault === undefined ? undefined : core.connections(vault)[0];
  if (store === undefined || vault === undefined || connection === undefined) {
    return failure(
      'Rehearsal_NotRunning',
      'The rehearsal started without its token store or server.',
      'Try again; if it stays so, report it.',
    );
  }
  progress.done(how === 'start' ? 'Token store and Vault server ready' : 'Vault server restarted', connection.address);
  return success({ store, vault, connection });
}

async function carryOutPlan(session: Session, plan: Plan): Promise<Result<RunSnapshot>> {
  const started = await startOrResume(session, { plan });
  if (!started.ok) return started;
  const end = await carryOut(session, started.value, {
    command: 'rehearse',
    resumeOptions: '',
    confirm: undefined,
  });
  // A rehearsal is begun anew rather than resumed.
  session.workOn('');
  return end.kind === 'completed' ? success(end.snapshot) : { ok: false, error: end.error };
}

/** The whole path: token, wrapping key, Vault, restart, unseal. */
async function rehearse(session: Session, rootToken: 'token' | 'revoked'): Promise<Result<readonly RunSnapshot[]>> {
  const { core, progress } = session;
  const first = await start(session, 'start');
  if (!first.ok) return first;
  const { store, vault } = first.value;
  const listed = (await core.tokens.listTokens()).find((entry) => entry.store.id === store.id);
  if (listed?.result.ok !== true) {
    return (
      listed?.result ??
      failure('Token_NotFound', 'The rehearsal’s token store was not found.', 'Try again; if it stays so, report it.')
    );
  }
  const free = listed.result.value.find((token) => !token.initialized);
  if (free === undefined) {
    return failure(
      'Rehearsal_AlreadyRunning',
      'The rehearsal kept in this folder has used its token already.',
      'Throw it away with: custodian rehearse --discard, and start again.',
    );
  }
  const keyLabel = 'bank-vaults';
  const setUp = await carryOutPlan(session, {
    workflow: 'token-setup',
    rehearsal: true,
    storeId: store.id,
    storeName: store.name,
    slotId: free.slotId,
    expectedSerial: free.serial,
    initialize: true,
    currentLabel: '',
    label: 'rehearsal',
    keyLabel,
    modulusBits: 2048,
  });
  if (!setUp.ok) return setUp;
  const token = { storeId: store.id, serial: String(setUp.value.state.facts['serial'] ?? ''), label: 'rehearsal' };
  const initialized = await carryOutPlan(session, {
    workflow: 'vault-init',
    rehearsal: true,
    vaultId: vault.id,
    vaultName: vault.name,
    connection: first.value.connection,
    token,
    keyLabel,
    shares: 5,
    threshold: 3,
    destinations: Array.from({ length: 5 }, () => ({ kind: 'token' })),
    rootToken: { kind: rootToken },
  });
  if (!initialized.ok) return initialized;
  progress.heading('The server is restarted, so it is sealed');
  const second = await start(session, 'restartVault');
  if (!second.ok) return second;
  const unsealed = await carryOutPlan(session, {
    workflow: 'unseal',
    rehearsal: true,
    vaultId: second.value.vault.id,
    vaultName: second.value.vault.name,
    connections: [second.value.connection],
    sources: [{ kind: 'token', token, keyLabel }],
  });
  if (!unsealed.ok) return unsealed;
  return success([setUp.value, initialized.value, unsealed.value]);
}

async function conclude(
  session: Session,
  runs: readonly RunSnapshot[],
  kept: boolean,
  began: number,
): Promise<CommandOutcome> {
  const values: unknown[] = [];
  const texts: string[] = [];
  for (const snapshot of runs) {
    const verification = await session.core.transcripts.verifyRun(snapshot.state.runId);
    if (!verification.ok) return failed(verification.error);
    if (!verification.value.intact || !verification.value.complete) {
      return failed(
        failure(
          'Custody_JournalDamaged',
          'A journal that was just written does not hold.',
          'Report this; the rehearsal is kept if --keep was given.',
        ).error,
        {
          value: verification.value,
        },
      );
    }
    values.push(runValue(snapshot, verification.value));
    texts.push(transcriptText(snapshot, verification.value, session.style));
  }
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const last = kept
    ? `Kept in ${session.core.dataDirectory}. Throw it away with: custodian rehearse --discard`
    : 'Everything that this rehearsal made is thrown away: token, server, PINs and journals.';
  return done(
    { seconds, kept, dataDirectory: kept ? session.core.dataDirectory : null, runs: values },
    `\n${texts.join('\n\n')}\n\n${session.style.green('✓')} From an empty token to an unsealed Vault in ${String(seconds)} s. ${last}`,
  );
}

async function throwAway(session: Session): Promise<CommandOutcome> {
  session.progress.begin('Throwing the rehearsal away');
  const discarded = await session.core.rehearsal.discard();
  if (!discarded.ok) return failed(discarded.error);
  session.progress.done('Thrown away', '');
  return done({ discarded: true }, '');
}

/** `custodian rehearse`: what `npm start` runs on a machine without a display. */
export function addRehearseCommand(program: Command, registry: Registry): void {
  const command = program
    .command('rehearse')
    .description('practise the whole job on a test token and a throw-away Vault, then throw both away')
    .option('--keep', 'keep the rehearsal, to look at it with the other commands or in the window')
    .option('--discard', 'throw a kept rehearsal away')
    .option('--root-token <where>', 'revoked or token (default: revoked)');
  addCommonOptions(command).action(async () => {
    const options = readOptions(rehearseShape, command);
    if (!options.ok) {
      registry.settle(misused(options.error));
      return;
    }
    const { keep, discard, dataDir, rootToken } = options.value;
    const began = performance.now();
    const prompt = createRehearsalPrompt();
    // A rehearsal that nobody keeps has a folder of its own: it can never touch the person's runs.
    const ownDirectory = keep || discard ? undefined : await mkdtemp(join(tmpdir(), 'custodian-rehearsal-'));
    try {
      registry.settle(
        await withSession(
          {
            locations: registry.locations,
            dataDirectory: ownDirectory ?? dataDir,
            by: undefined,
            makePrompt: () => prompt,
          },
          async (session) => {
            if (discard) return throwAway(session);
            session.onEnd(async () => {
              await (keep ? session.core.rehearsal.stop() : session.core.rehearsal.discard());
            });
            const runs = await rehearse(session, rootToken);
            return runs.ok ? conclude(session, runs.value, keep, began) : failed(runs.error);
          },
        ),
      );
    } finally {
      prompt.wipe();
      if (ownDirectory !== undefined) await rm(ownDirectory, { recursive: true, force: true });
    }
  });
}
