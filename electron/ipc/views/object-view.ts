import type { ObjectView } from '../../contract/views.ts';
import { bankVaultsTrialLabel, ownTrialLabel, rootLabel, unsealIndexOf } from '../../workflows/bank-vaults.ts';
import type { TokenObject } from '../../workflows/device-ports.ts';

/** A Vault whose shares this app put on the token. */
export interface VaultOnToken {
  readonly name: string;
  readonly keyLabel: string;
}

/** `vault-recovery-0` …: a Vault with an automatic seal has recovery keys in place of unseal shares. */
const recoveryLabel = /^vault-recovery-(?:0|[1-9][0-9]{0,3})$/u;

/** What a data object's label says in bank-vaults' naming. */
export function valueKindOf(label: string): ObjectView['valueKind'] {
  if (unsealIndexOf(label) !== undefined) return 'share';
  if (recoveryLabel.test(label)) return 'recovery';
  if (label === rootLabel) return 'root';
  return label === bankVaultsTrialLabel || label === ownTrialLabel ? 'trial' : '';
}

const isKey = (object: TokenObject): boolean =>
  object.objectClass === 'private-key' || object.objectClass === 'public-key';

/** Unsealing needs the key that the shares are encrypted to, and the shares. */
function usersOf(object: TokenObject, vaults: readonly VaultOnToken[]): readonly string[] {
  if (object.objectClass === 'data' && valueKindOf(object.label) === 'share') return vaults.map(({ name }) => name);
  return isKey(object) ? vaults.filter(({ keyLabel }) => keyLabel === object.label).map(({ name }) => name) : [];
}

const classOrder: readonly ObjectView['objectClass'][] = [
  'private-key',
  'public-key',
  'secret-key',
  'certificate',
  'data',
  'other',
];

/**
 * Everything on a token, in an order that stays the same from look to look.
 * @param vaults those whose shares are on this token
 */
export function toObjectViews(objects: readonly TokenObject[], vaults: readonly VaultOnToken[]): ObjectView[] {
  const nameOf = ({ objectClass, label }: TokenObject): string => `${objectClass}\u0000${label}`;
  const times = new Map<string, number>();
  for (const object of objects) times.set(nameOf(object), (times.get(nameOf(object)) ?? 0) + 1);
  return objects
    .map((object): ObjectView => ({
      objectClass: object.objectClass,
      label: object.label,
      id: object.id,
      kind: object.kind,
      bits: object.bits,
      curve: object.curve,
      size: object.size,
      attributes: [...object.attributes],
      subject: object.subject,
      notAfter: object.notAfter,
      sha256: object.sha256,
      usedBy: [...usersOf(object, vaults)],
      valueKind: object.objectClass === 'data' ? valueKindOf(object.label) : '',
      // Objects without a label are told apart by their ids; they are nobody's doubles.
      doubled: object.label !== '' && (times.get(nameOf(object)) ?? 0) > 1,
    }))
    .sort(
      (one, other) =>
        classOrder.indexOf(one.objectClass) - classOrder.indexOf(other.objectClass) ||
        one.label.localeCompare(other.label, 'en', { numeric: true }) ||
        one.id.localeCompare(other.id) ||
        one.sha256.localeCompare(other.sha256),
    );
}
