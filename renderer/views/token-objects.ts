/** What lies on a token as rows of a list: both halves of a key pair are one. Pure. */
import type { ObjectView, TokenView } from '../../electron/contract/views.ts';
import type { ObjectDeletePlan } from '../../electron/workflows/device-plans.ts';
import { sizeWords } from '../text/devices.ts';
import { text } from '../text/en.ts';

const words = text.token.objects;

export interface ObjectRow {
  /** Stays the same while the object lies there, as long as it is the only one of its name. */
  readonly key: string;
  readonly objectClass: 'key-pair' | ObjectView['objectClass'];
  readonly label: string;
  readonly id: string;
  /** 'RSA 2048', 'EC P-256', '612 bytes'. */
  readonly kind: string;
  readonly attributes: readonly string[];
  readonly subject: string;
  readonly notAfter: string;
  readonly sha256: string;
  readonly usedBy: readonly string[];
  readonly valueKind: ObjectView['valueKind'];
  readonly doubled: boolean;
}

function kindOf(object: ObjectView): string {
  const { kind, bits, curve, size } = object;
  if (object.objectClass === 'data') return sizeWords(size);
  const detail = curve === '' ? (bits > 0 ? String(bits) : '') : curve;
  return [kind, detail].filter((part) => part !== '').join(' ');
}

function rowOf(object: ObjectView, objectClass: ObjectRow['objectClass'], at: number): ObjectRow {
  const { label, id, subject, notAfter, sha256, usedBy, valueKind, doubled, attributes } = object;
  const key = [objectClass, label, id, sha256, doubled ? String(at) : ''].join('|');
  return {
    key,
    objectClass,
    label,
    id,
    kind: kindOf(object),
    attributes,
    subject,
    notAfter,
    sha256,
    usedBy,
    valueKind,
    doubled,
  };
}

const order: Readonly<Record<ObjectRow['objectClass'], number>> = {
  'key-pair': 0,
  'private-key': 1,
  'secret-key': 2,
  'public-key': 3,
  certificate: 4,
  data: 5,
  other: 6,
};

/** Keys first, then certificates, then data; each by label, numbers in their order. */
export function objectRows(objects: readonly ObjectView[]): readonly ObjectRow[] {
  const taken = new Set<ObjectView>();
  const rows = objects.flatMap((object, at) => {
    if (object.objectClass === 'public-key') return [];
    if (object.objectClass !== 'private-key') return [rowOf(object, object.objectClass, at)];
    const half = objects.find(
      (other) =>
        other.objectClass === 'public-key' &&
        !taken.has(other) &&
        other.id === object.id &&
        (other.label === object.label || object.id !== ''),
    );
    if (half === undefined) return [rowOf(object, 'private-key', at)];
    taken.add(half);
    const row = rowOf(object, 'key-pair', at);
    return [
      {
        ...row,
        kind: row.kind.includes(' ') ? row.kind : kindOf(half),
        sha256: row.sha256 === '' ? half.sha256 : row.sha256,
        usedBy: [...new Set([...object.usedBy, ...half.usedBy])],
      },
    ];
  });
  const alone = objects.flatMap((object, at) =>
    object.objectClass === 'public-key' && !taken.has(object) ? [rowOf(object, 'public-key', at)] : [],
  );
  const collator = new Intl.Collator('en-GB', { numeric: true });
  return [...rows, ...alone].toSorted(
    (one, other) => order[one.objectClass] - order[other.objectClass] || collator.compare(one.label, other.label) || 0,
  );
}

export type ObjectKind = 'all' | 'keys' | 'certificates' | 'data';

/** @param sought words that all occur in label, id, kind, subject or the Vaults that use it */
export function filterRows(rows: readonly ObjectRow[], kind: ObjectKind, sought: string): readonly ObjectRow[] {
  const parts = sought
    .toLowerCase()
    .split(/\s+/u)
    .filter((part) => part !== '');
  return rows.filter((row) => {
    const isKey = row.objectClass.endsWith('key') || row.objectClass === 'key-pair';
    const fits =
      kind === 'all' ||
      (kind === 'keys' && isKey) ||
      (kind === 'certificates' && row.objectClass === 'certificate') ||
      (kind === 'data' && (row.objectClass === 'data' || row.objectClass === 'other'));
    if (!fits) return false;
    const hay = [row.label, row.id, row.kind, row.subject, words.classes[row.objectClass], ...row.usedBy]
      .join(' ')
      .toLowerCase();
    return parts.every((part) => hay.includes(part));
  });
}

export interface PageOfRows {
  readonly rows: readonly ObjectRow[];
  readonly page: number;
  readonly pages: number;
  /** Counted from 1. */
  readonly from: number;
  readonly to: number;
}

/** @param page counted from 0; one beyond the end is the last */
export function pageOf(rows: readonly ObjectRow[], page: number, size: number): PageOfRows {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const at = Math.min(Math.max(0, page), pages - 1);
  const shown = rows.slice(at * size, (at + 1) * size);
  return { rows: shown, page: at, pages, from: shown.length === 0 ? 0 : at * size + 1, to: at * size + shown.length };
}

const attributeNames: Readonly<Record<string, string>> = words.attributeNames;

/** An attribute in plain words, and its name in PKCS#11. */
export function attributeWords(attribute: string): { readonly plain: string; readonly name: string } {
  const name = attribute.replace(/^CKA_/u, '');
  return { plain: attributeNames[name] ?? name.toLowerCase().replaceAll('_', ' '), name: `CKA_${name}` };
}

const deletable = { 'key-pair': 'key-pair', 'private-key': 'key-pair', 'public-key': 'key-pair' } as const;

/** What deleting takes with it, in words; undefined for objects that this app does not delete. */
export function deletionOf(token: TokenView, row: ObjectRow): Pick<ObjectDeletePlan, 'object' | 'losses'> | undefined {
  if (row.objectClass === 'other' || token.writeProtected) return undefined;
  const objectClass =
    row.objectClass === 'certificate' || row.objectClass === 'data' || row.objectClass === 'secret-key'
      ? row.objectClass
      : deletable[row.objectClass];
  const isWrappingKey = objectClass === 'key-pair' && token.wrappingKeys.some((key) => key.label === row.label);
  const losses = [
    words.loss[objectClass](row.label === '' ? row.id : row.label),
    ...row.usedBy.map((vault) => words.lossUsedBy(row.label, vault)),
    ...(isWrappingKey
      ? token.objects.filter((each) => each.valueKind !== '').map((each) => words.lossValue(each.label, row.label))
      : []),
  ];
  return {
    object: { objectClass, label: row.label, id: row.id, sha256: row.doubled ? row.sha256 : '' },
    losses: losses.slice(0, 50),
  };
}

export interface ValueRow {
  readonly label: string;
  readonly kind: Exclude<ObjectView['valueKind'], ''>;
  readonly title: string;
  readonly usedBy: readonly string[];
  /** How many objects have this label. */
  readonly copies: number;
}

/** bank-vaults' values by label, each once; shares in their number's order, counted from 1 as people do. */
export function valueRows(objects: readonly ObjectView[]): readonly ValueRow[] {
  const found = new Map<string, ValueRow>();
  for (const object of objects) {
    if (object.valueKind === '') continue;
    const before = found.get(object.label);
    found.set(object.label, {
      label: object.label,
      kind: object.valueKind,
      title: valueTitle(object.valueKind, object.label),
      usedBy: [...new Set([...(before?.usedBy ?? []), ...object.usedBy])],
      copies: (before?.copies ?? 0) + 1,
    });
  }
  const rank = { share: 0, recovery: 1, root: 2, trial: 3 } as const;
  const collator = new Intl.Collator('en-GB', { numeric: true });
  return [...found.values()].toSorted(
    (one, other) => rank[one.kind] - rank[other.kind] || collator.compare(one.label, other.label),
  );
}

function valueTitle(kind: ValueRow['kind'], label: string): string {
  const number = /-(?<number>\d+)$/u.exec(label)?.groups?.['number'];
  if (number !== undefined && kind === 'share') return text.token.values.shareNumber(Number(number) + 1);
  if (number !== undefined && kind === 'recovery') return text.token.values.recoveryNumber(Number(number) + 1);
  return text.token.values.kinds[kind];
}
