import type { Command } from 'commander';
import type { KnownVault } from '../core/core.ts';
import { failure } from '../workflows/failures.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import type { SealStatus } from '../workflows/ports.ts';
import { chooseVault } from './chosen-vault.ts';
import type { VaultWish } from './chosen-vault.ts';
import { addCommonOptions, addVaultOptions, vaultShape } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';

interface Node {
  readonly vault: KnownVault;
  readonly address: string;
  readonly status: Result<SealStatus>;
  /** active, standby …; '' where it could not be had. */
  readonly health: string;
}

async function readNodes(session: Session, vault: KnownVault): Promise<readonly Node[]> {
  return Promise.all(
    session.core.connections(vault).map(async (connection) => {
      const status = await session.core.vault.sealStatus(connection);
      const health = status.ok ? await session.core.vault.health(connection) : undefined;
      return { vault, address: connection.address, status, health: health?.ok === true ? health.value.state : '' };
    }),
  );
}

function stateText(node: Node): string {
  if (!node.status.ok) return node.status.error.code;
  const { initialized, sealed, progress, threshold } = node.status.value;
  if (!initialized) return 'not initialised';
  if (sealed) return progress > 0 ? `sealed, ${String(progress)} of ${String(threshold)} shares given` : 'sealed';
  return node.health === '' || node.health === 'sealed' ? 'unsealed' : `unsealed, ${node.health}`;
}

function nodeRow(node: Node): readonly string[] {
  const status = node.status.ok ? node.status.value : undefined;
  return [
    node.vault.name,
    node.address,
    stateText(node),
    status?.initialized === true ? `${String(status.threshold)} of ${String(status.shares)}` : '–',
    status === undefined ? '–' : `${status.product} ${status.version}`,
    status?.storageType ?? '–',
  ];
}

function nodeValue(node: Node): unknown {
  return {
    address: node.address,
    ...(node.status.ok
      ? { status: node.status.value, health: node.health, problem: null }
      : { status: null, health: '', problem: node.status.error }),
  };
}

async function showStatus(session: Session, wish: VaultWish): Promise<CommandOutcome> {
  const all = wish.name === undefined && wish.address.length === 0;
  let vaults = session.core.vaults();
  if (!all) {
    const chosen = chooseVault(session.core, wish);
    if (!chosen.ok) return chosen.error.code === 'App_BadRequest' ? misused(chosen.error) : failed(chosen.error);
    vaults = [chosen.value.vault];
  }
  if (vaults.length === 0) {
    return done(
      { vaults: [] },
      'No Vault server is known yet. Look at one with --address, or initialise one with: custodian vault init.',
    );
  }
  session.progress.begin('Asking the servers');
  const nodes = await Promise.all(vaults.map((vault) => readNodes(session, vault)));
  session.progress.end();
  const rows = nodes.flat();
  const value = {
    vaults: vaults.map((vault, index) => ({
      id: vault.id,
      name: vault.name,
      rehearsal: vault.rehearsal,
      tokenSerial: vault.tokenSerial,
      nodes: (nodes[index] ?? []).map(nodeValue),
    })),
  };
  const text = tableLines(
    ['NAME', 'ADDRESS', 'STATE', 'SHARES', 'SERVER', 'STORAGE'],
    rows.map(nodeRow),
    session.style,
  ).join('\n');
  const problems = rows.flatMap((node): readonly Failure[] => (node.status.ok ? [] : [node.status.error]));
  const [first] = problems;
  if (first === undefined) return done(value, text);
  return failed(
    problems.length === 1
      ? first
      : failure(
          first.code,
          `${first.message} ${String(problems.length - 1)} more nodes could not be read.`,
          first.next,
          first.details,
        ).error,
    { value, text },
  );
}

/** `custodian vault status`: without a name or address, every known server. */
export function addVaultStatusCommand(vault: Command, registry: Registry): void {
  const status = vault.command('status').description('show the seal state of every known server, or of one');
  addCommonOptions(addVaultOptions(status));
  answersQuestion(status, registry, vaultShape, showStatus);
}
