import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { Core } from '../core/core.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { TokenDescription, TokenStore } from '../workflows/ports.ts';

export interface ChosenToken {
  readonly store: TokenStore;
  readonly token: TokenDescription;
}

/**
 * The store of a module path; a new path is tried in a host of its own and kept only if it is a PKCS#11
 * library, as the window does it.
 */
export async function storeOf(core: Core, modulePath: string | undefined): Promise<Result<TokenStore | undefined>> {
  if (modulePath === undefined) return success(undefined);
  const path = resolve(modulePath);
  const known = core.stores().find((store) => store.modulePath === path && !store.rehearsal);
  if (known !== undefined) return success(known);
  const id = `module-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;
  const added = await core.settings.addModule({ id, name: basename(path), modulePath: path });
  if (!added.ok) return added;
  const listed = (await core.tokens.listTokens()).find((entry) => entry.store.id === id);
  if (listed?.result.ok === true) return success(listed.store);
  const removed = await core.settings.removeModule(id);
  if (!removed.ok) return removed;
  return listed === undefined
    ? failure(
        'App_Internal',
        'The module was added and could not be found again.',
        'Try again; if it stays so, report it.',
      )
    : listed.result;
}

/** Every token of every store, or of one; a store that cannot be read is a failure only when it is the one asked for. */
async function listAll(core: Core, store: TokenStore | undefined): Promise<Result<readonly ChosenToken[]>> {
  const found: ChosenToken[] = [];
  for (const entry of await core.tokens.listTokens()) {
    if (store !== undefined && entry.store.id !== store.id) continue;
    if (entry.result.ok) found.push(...entry.result.value.map((token) => ({ store: entry.store, token })));
    else if (store !== undefined) return entry.result;
  }
  return success(found);
}

function names(candidates: readonly ChosenToken[]): string {
  return candidates.map(({ token }) => `${token.label} (${token.serial})`).join(', ');
}

/**
 * One initialised token, by serial, by label, or the only one there is. Never guessed among several: a PIN
 * given to the wrong token burns one of its tries.
 */
export async function chooseToken(
  core: Core,
  wish: {
    readonly store: TokenStore | undefined;
    readonly serial: string | undefined;
    readonly label: string | undefined;
  },
): Promise<Result<ChosenToken>> {
  const all = await listAll(core, wish.store);
  if (!all.ok) return all;
  const candidates = all.value.filter(
    ({ token }) =>
      token.initialized &&
      (wish.serial === undefined || token.serial === wish.serial) &&
      (wish.label === undefined || [token.label, token.reportedLabel].includes(wish.label)),
  );
  const [first, second] = candidates;
  if (first === undefined) {
    return failure(
      'Token_NotFound',
      wish.serial === undefined && wish.label === undefined
        ? 'There is no initialised token.'
        : 'No initialised token has that serial and label.',
      'See what there is with: custodian devices. Set one up with: custodian token init.',
    );
  }
  if (second !== undefined) {
    return failure(
      'App_BadRequest',
      `${String(candidates.length)} tokens could be meant: ${names(candidates)}.`,
      'Name one with --serial.',
    );
  }
  return success(first);
}

/** The slot to initialise: the token of a serial, or the free slot of the store. */
export async function chooseSlot(
  core: Core,
  wish: {
    readonly store: TokenStore | undefined;
    readonly serial: string | undefined;
    readonly slot: number | undefined;
  },
): Promise<Result<ChosenToken>> {
  const store = wish.store ?? core.stores().find((candidate) => !candidate.rehearsal);
  if (store === undefined) {
    return failure(
      'Token_NotFound',
      'No PKCS#11 library is known on this machine.',
      'Install SoftHSM, or name a library with --module PATH.',
    );
  }
  const all = await listAll(core, store);
  if (!all.ok) return all;
  if (wish.serial !== undefined) return chooseToken(core, { store, serial: wish.serial, label: undefined });
  if (wish.slot !== undefined) {
    const chosen = all.value.find(({ token }) => token.slotId === wish.slot);
    return chosen === undefined
      ? failure(
          'Token_NotFound',
          'There is no such slot with a token in it.',
          'See what there is with: custodian devices.',
        )
      : success(chosen);
  }
  const [first, second] = all.value.filter(({ token }) => !token.initialized);
  if (first === undefined) {
    return failure(
      'Token_NotFound',
      'Every token of this library is initialised already.',
      'Name the one to erase with --serial, or make the key on it as it is with: custodian key generate.',
    );
  }
  if (second !== undefined)
    return failure(
      'App_BadRequest',
      'Several slots hold a token that is not initialised.',
      'Name one with --slot N; custodian devices lists them.',
    );
  return success(first);
}
