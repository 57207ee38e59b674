/** What is lost when a token is erased or an object deleted, in words, from what was read of it. Pure. */
import { rootLabel, unsealIndexOf } from './bank-vaults.ts';
import type { TokenObject } from './device-ports.ts';

/** Where a known Vault's shares were last stored: `KnownVault` of the core, as far as it is needed here. */
export interface VaultOnToken {
  readonly name: string;
  readonly tokenSerial: string;
  readonly keyLabel: string;
}

/** The parts of an object that are needed here. */
type NamedObject = Pick<TokenObject, 'objectClass' | 'label' | 'id' | 'kind' | 'bits' | 'curve' | 'size' | 'subject'>;

const vaultNames = (vaults: readonly VaultOnToken[]): string =>
  vaults.map(({ name }) => `“${name}”`).join(' and ') || 'a Vault that this program does not know';

/** Who uses an object, '' for nobody that is known: as the end of “Key pair “x”: …”. */
export function useOf(object: NamedObject, serial: string, vaults: readonly VaultOnToken[]): string {
  const here = vaults.filter(({ tokenSerial }) => tokenSerial === serial);
  if (object.objectClass === 'data') {
    if (unsealIndexOf(object.label) !== undefined) return `a key share of ${vaultNames(here)}`;
    return object.label === rootLabel ? `the root token of ${vaultNames(here)}` : '';
  }
  if (object.objectClass === 'private-key' || object.objectClass === 'public-key') {
    const using = here.filter(({ keyLabel }) => keyLabel === object.label);
    return using.length === 0 ? '' : `the key shares of ${vaultNames(using)} decrypt with it alone`;
  }
  return '';
}

const kindOf = ({ kind, curve, bits }: NamedObject): string =>
  [kind, curve === '' ? (bits === 0 ? '' : bits.toString()) : curve].filter((part) => part !== '').join(' ');

function nameInWords(object: NamedObject): string {
  const name = `“${object.label === '' ? object.id : object.label}”`;
  switch (object.objectClass) {
    case 'private-key':
      return `Private key ${name}, ${kindOf(object)}`;
    case 'public-key':
      return `Key pair ${name}, ${kindOf(object)}`;
    case 'secret-key':
      return `Secret key ${name}, ${kindOf(object)}`;
    case 'certificate':
      return `Certificate ${name}${object.subject === '' ? '' : `, ${object.subject}`}`;
    case 'data':
      return `Data object ${name}, ${object.size.toString()} bytes`;
    case 'other':
      return `Object ${name}`;
  }
}

/** A private half beside its public half is one key pair. */
const isHalf = (object: NamedObject, all: readonly NamedObject[]): boolean =>
  object.objectClass === 'private-key' &&
  all.some((other) => other.objectClass === 'public-key' && other.label === object.label && other.id === object.id);

/** One line of a plan's losses has at most 300 characters. */
const lossLength = 300;

/**
 * Everything that dies with these objects, one line each, for the plan of a reset or a deletion.
 * @param objects as read now, private ones included where somebody is logged in
 * @returns at most `limit` lines; the last one counts what is left out
 */
export function lossesOf(
  objects: readonly NamedObject[],
  serial: string,
  vaults: readonly VaultOnToken[],
  limit = 300,
): readonly string[] {
  const lines = objects
    .filter((object) => !isHalf(object, objects))
    .map((object) => {
      const use = useOf(object, serial, vaults);
      return `${nameInWords(object)}${use === '' ? '' : `: ${use}`}`.slice(0, lossLength);
    });
  return lines.length <= limit
    ? lines
    : [...lines.slice(0, limit - 1), `${(lines.length - limit + 1).toString()} more objects`];
}
