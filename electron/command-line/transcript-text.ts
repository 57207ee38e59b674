import type { JournalVerification, RunSnapshot } from '../core/core.ts';
import { planFacts, subjectOf, titleOf } from '../workflows/definitions.ts';
import { evidenceNames, programEvidence } from '../workflows/evidence-names.ts';
import type { Actor, StepState, StepStatus } from '../workflows/run.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

const marks: Readonly<Record<StepStatus, string>> = {
  waiting: '·',
  current: '›',
  working: '›',
  done: '✓',
  'not-needed': '–',
  failed: '✗',
};

/** '2026-11-22 07:04:05 UTC' of an ISO 8601 time; '–' for none. */
export function timeText(at: string): string {
  return at === '' ? '–' : at.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/u, '$1 $2 UTC');
}

/** How long, for a person: '0.3 s', '2 min 05 s'; '' where one end is unknown. */
export function durationText(startedAt: string, endedAt: string): string {
  const milliseconds = Date.parse(endedAt) - Date.parse(startedAt);
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return '';
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${String(Math.floor(seconds / 60))} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
}

function actorText(actor: Actor): string {
  return actor.role === 'administrator' ? 'administrator' : `${actor.role} ${printable(actor.name)}`;
}

/** Words in lines of eight, to be read aloud and compared. */
export function wordLines(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index < words.length; index += 8) lines.push(words.slice(index, index + 8).join(' '));
  return lines;
}

function row(name: string, value: string): string {
  return `  ${name.padEnd(14)}${printable(value)}`;
}

function stepLines(
  title: string,
  actor: string,
  step: StepState | undefined,
  number: number,
  style: Style,
): readonly string[] {
  const status = step?.status ?? 'waiting';
  const mark = marks[status];
  const coloured = status === 'done' ? style.green(mark) : status === 'failed' ? style.red(mark) : mark;
  const remarks = [
    actor,
    step === undefined || step.startedAt === '' ? '' : timeText(step.startedAt),
    step === undefined ? '' : durationText(step.startedAt, step.endedAt),
    status === 'not-needed' ? 'not needed' : '',
    step !== undefined && step.attempts > 1 ? `${String(step.attempts)} attempts` : '',
  ].filter((remark) => remark !== '');
  const evidence = Object.entries(step?.evidence ?? {}).flatMap(([name, value]) => {
    if (value === '' || programEvidence.has(name)) return [];
    const [first, ...rest] = name.endsWith('Words')
      ? wordLines(String(value).split(' '))
      : [value === true ? 'yes' : value === false ? 'no' : String(value)];
    const indent = ' '.repeat(30);
    return [
      style.dim(`      ${(evidenceNames[name] ?? name).padEnd(24)}${printable(first ?? '')}`),
      ...rest.map((line) => style.dim(indent + printable(line))),
    ];
  });
  const problem =
    step?.failure === undefined ? [] : [style.red(`      ${step.failure.code}: ${printable(step.failure.message)}`)];
  return [
    `${String(number).padStart(3)} ${coloured} ${printable(title)}  ${style.dim(remarks.join(', '))}`,
    ...evidence,
    ...problem,
  ];
}

/** A journal's verification in lines. */
export function verificationLines(verification: JournalVerification, style: Style): readonly string[] {
  const state = verification.intact
    ? verification.complete
      ? style.green('intact and complete')
      : style.yellow('intact as far as it goes; the end of the run is not in it')
    : style.red('NOT INTACT');
  return [
    row('Journal', `${String(verification.records)} ${verification.records === 1 ? 'record' : 'records'}`) +
      `, ${state}`,
    ...verification.problems.map((problem) => `  ${style.red('✗')} ${printable(problem)}`),
    ...(verification.head === '' ? [] : [row('Head', verification.head)]),
    ...wordLines(verification.headWords).map((line) => row('', line)),
  ];
}

/**
 * A run as text for a terminal or a printer: the same facts as the HTML transcript, drawn from the same
 * journal. Holds no secret, since the journal holds none.
 */
export function transcriptText(snapshot: RunSnapshot, verification: JournalVerification, style: Style): string {
  const { state, definitions } = snapshot;
  const steps = new Map(state.steps.map((step) => [step.id, step]));
  const lines = [
    style.bold(`Transcript: ${titleOf(state.plan)}, ${printable(subjectOf(state.plan))}`),
    ...(state.plan.rehearsal
      ? [style.yellow('REHEARSAL: test token, test server, test PINs. Nothing here protects anything.')]
      : []),
    '',
    row('Run', state.runId),
    row('Started', `${timeText(state.startedAt)} by ${state.startedBy}`),
    row('Ended', state.status === 'open' ? 'not yet' : `${timeText(state.endedAt)}, ${state.status}`),
    ...planFacts(state.plan).map(([name, value]) => row(name, value)),
    '',
    ...definitions.flatMap((definition, index) =>
      stepLines(definition.title, actorText(definition.actor), steps.get(definition.id), index + 1, style),
    ),
    '',
    ...(state.deviations.length === 0
      ? [row('Deviations', 'none noted')]
      : state.deviations.map((deviation) =>
          row('Deviation', `${timeText(deviation.at)} ${deviation.step}: ${deviation.text}`),
        )),
    ...verificationLines(verification, style),
  ];
  return lines.join('\n');
}
