import type { DiffLine, Drift, ObjectReference, PreviewObject, PushPreview } from '../workflows/cluster-ports.ts';
import { objectInWords } from '../workflows/cluster-push.ts';
import type { Failure } from '../workflows/failures.ts';
import { failure } from '../workflows/failures.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

const marks = { same: ' ', added: '+', removed: '-', gap: '…' } as const;

function diffLines(diff: readonly DiffLine[], style: Style): readonly string[] {
  return diff.map(({ kind, text }) => {
    const line = `    ${marks[kind]} ${printable(text)}`.trimEnd();
    if (kind === 'added') return style.green(line);
    if (kind === 'removed') return style.red(line);
    return kind === 'gap' ? style.dim(line) : line;
  });
}

const head = (reference: ObjectReference, state: string, style: Style): string =>
  `${style.bold(printable(objectInWords(reference)))}  ${state}`;

const stateWords: Readonly<Record<PreviewObject['change'], string>> = {
  new: 'new',
  changed: 'changed',
  same: 'as it is',
  refused: 'REFUSED by the server',
};

function objectLines(object: PreviewObject, style: Style): readonly string[] {
  const conflicts = object.conflicts.map(
    ({ manager, operation, field }) =>
      `  conflict: ${printable(field)} was set by ${printable(manager)} (${operation})`,
  );
  const owners = object.ownedByOthers.length === 0 ? [] : [`  made by ${printable(object.ownedByOthers.join(', '))}`];
  const refusal = object.refusal === '' ? [] : [`  ${printable(object.refusal)}`];
  return [
    head(object.reference, stateWords[object.change], style),
    ...refusal,
    ...owners,
    ...conflicts.map(style.yellow),
    ...diffLines(object.diff, style),
  ];
}

/** A preview as a person reads it: what happens to each object, line by line; Secrets are masked already. */
export function previewText(preview: PushPreview, style: Style): string {
  const count = (change: PreviewObject['change']): number =>
    preview.objects.filter((object) => object.change === change).length;
  return [
    ...preview.objects.flatMap((object) => objectLines(object, style)),
    ...preview.missingKinds.map(({ kind, install }) => style.red(`${kind} is not known there. ${printable(install)}`)),
    ...(preview.rightsManifest === ''
      ? []
      : [style.red('Rights are missing. These rules would grant them:'), preview.rightsManifest.trimEnd()]),
    ...preview.warnings.map((warning) => style.yellow(`! ${printable(warning)}`)),
    '',
    `${String(count('new'))} new, ${String(count('changed'))} changed, ${String(count('same'))} as they are, ${String(count('refused'))} refused`,
    `Preview ${preview.sha256}`,
  ].join('\n');
}

/** What keeps a previewed push from being made; undefined for nothing. */
export function obstacleOf(preview: PushPreview, takeOver: boolean): Failure | undefined {
  if (preview.missingKinds.length > 0) {
    return failure(
      'Cluster_KindMissing',
      `The cluster does not know ${preview.missingKinds.map(({ kind }) => kind).join(', ')}.`,
      'Install what brings it, as said above, then look again.',
    ).error;
  }
  if (preview.missingRights.some(({ allowed }) => !allowed)) {
    return failure(
      'Cluster_RightsMissing',
      'Rights are missing for this push.',
      'Have the rules above granted, then look again.',
      { rules: preview.rightsManifest },
    ).error;
  }
  const refused = preview.objects.filter(({ change }) => change === 'refused');
  if (refused.length > 0) {
    return failure(
      'Cluster_AdmissionRefused',
      `The server refuses ${refused.map(({ reference }) => objectInWords(reference)).join(', ')}.`,
      'Its own words are above. Correct the recipe, then look again.',
    ).error;
  }
  if (takeOver) return undefined;
  if (preview.objects.some((object) => object.conflicts.length > 0)) {
    return failure(
      'Cluster_Conflict',
      'Fields that the push would set were set by others.',
      'Leave them out of the recipe, or take them over with --take-over.',
    ).error;
  }
  const foreign = preview.objects.filter((object) => object.change === 'changed' && object.ownedByOthers.length > 0);
  if (foreign.length === 0) return undefined;
  return failure(
    'Cluster_OwnedByOthers',
    `Made and managed by others: ${foreign.map(({ reference }) => objectInWords(reference)).join(', ')}.`,
    'Choose other names in the recipe, or take the objects over with --take-over.',
  ).error;
}

const driftWords: Readonly<Record<Drift['state'], string>> = {
  same: 'as it was pushed',
  changed: 'CHANGED',
  missing: 'MISSING',
  unknown: 'could not be read',
};

export function driftText(drift: readonly Drift[], style: Style): string {
  return drift
    .flatMap((one) => [
      head(one.reference, driftWords[one.state], style),
      ...(one.changedBy.length === 0 ? [] : [`  by ${printable(one.changedBy.join(', '))}`]),
      ...diffLines(one.diff, style),
    ])
    .join('\n');
}
