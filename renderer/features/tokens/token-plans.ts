/** Plans that need no page of their own: everything in them is known from the token. Pure. */
import type { TokenView, VaultView } from '../../../electron/contract/views.ts';
import type {
  KeyTestPlan,
  ObjectDeletePlan,
  TokenResetPlan,
  ValuesRepairPlan,
} from '../../../electron/workflows/device-plans.ts';
import { text } from '../../text/en.ts';
import { isSmartCardHsm } from '../../views/devices.ts';
import { tokenOfPlan } from '../../views/token-reference.ts';
import { deletionOf, objectRows, valueRows, type ObjectRow } from '../../views/token-objects.ts';

const words = text.token;

/** A round trip with the keys given, or with every private key that is seen. @returns undefined where there is none */
export function planKeyTest(token: TokenView, row?: ObjectRow): KeyTestPlan | undefined {
  const rows =
    row === undefined
      ? objectRows(token.objects).filter(
          (each) => each.objectClass === 'key-pair' || each.objectClass === 'private-key',
        )
      : [row];
  const seen = rows.map(({ label, id }) => ({ label, id }));
  // Without a login only public halves show; a key that was read as a wrapping key has a private one.
  const keys =
    seen.length > 0 ? seen : token.wrappingKeys.filter((key) => key.complete).map(({ label, id }) => ({ label, id }));
  if (keys.length === 0) return undefined;
  return {
    workflow: 'key-test',
    rehearsal: token.rehearsal,
    token: tokenOfPlan(token),
    keys: keys.slice(0, 100),
    attest: row === undefined && isSmartCardHsm(token),
  };
}

export function planDeletion(token: TokenView, row: ObjectRow): ObjectDeletePlan | undefined {
  const deletion = deletionOf(token, row);
  if (deletion === undefined) return undefined;
  return {
    workflow: 'object-delete',
    rehearsal: token.rehearsal,
    token: tokenOfPlan(token),
    object: deletion.object,
    losses: [...deletion.losses],
  };
}

/** @returns undefined where nothing lies there to be checked */
export function planRepair(token: TokenView, keyLabel: string): ValuesRepairPlan | undefined {
  const rows = valueRows(token.objects);
  if (rows.length === 0 || keyLabel === '') return undefined;
  return {
    workflow: 'values-repair',
    rehearsal: token.rehearsal,
    token: tokenOfPlan(token),
    keyLabel,
    doubled: rows.filter((row) => row.copies > 1).map((row) => row.label),
    labels: rows.map((row) => row.label),
  };
}

const namedAtMost = 200;

/** What erasing a token takes with it, worst first. */
export function lossesOnErase(token: TokenView, vaults: readonly VaultView[]): readonly string[] {
  const rows = objectRows(token.objects);
  const named = rows.slice(0, namedAtMost).map((row) => {
    const label = row.label === '' ? row.id : row.label;
    switch (row.objectClass) {
      case 'key-pair':
      case 'private-key':
        return words.objects.loss['key-pair'](label);
      case 'secret-key':
      case 'certificate':
      case 'data':
        return words.objects.loss[row.objectClass](label);
      case 'public-key':
      case 'other':
        return `${words.objects.classes[row.objectClass].toLowerCase()} “${label}”`;
    }
  });
  const more = rows.length > namedAtMost ? [words.erase.more(rows.length - namedAtMost)] : [];
  return [
    words.erase.everything(token.label, token.serial),
    ...vaults.map((vault) => words.erase.lossVault(vault.name)),
    ...named,
    ...more,
  ].map((loss) => loss.slice(0, 300));
}

export function planReset(token: TokenView, vaults: readonly VaultView[]): TokenResetPlan {
  return {
    workflow: 'token-reset',
    rehearsal: token.rehearsal,
    token: tokenOfPlan(token),
    slotId: token.slotId,
    smartCardHsm: isSmartCardHsm(token),
    losses: [...lossesOnErase(token, vaults)],
  };
}
