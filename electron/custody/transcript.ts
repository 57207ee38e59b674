/**
 * A run as a page to read, print and sign: self-contained HTML without script or outside reference. The
 * same page becomes the PDF. It is drawn from the journal alone and names the hash of its last record.
 */
import { planFacts, stepsOf, subjectOf, titleOf } from '../workflows/definitions.ts';
import { pgpWordsOfHex } from '../workflows/pgp-words.ts';
import type { Evidence, RunEvent, RunState, StepDefinition, StepState } from '../workflows/run.ts';
import { evidenceNames, programEvidence } from '../workflows/evidence-names.ts';
import { transcriptStyle } from './transcript-style.ts';

export interface TranscriptSource {
  readonly state: RunState;
  readonly events: readonly { readonly event: RunEvent; readonly at: string }[];
  /** Hash of the journal's last record, hex. */
  readonly head: string;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** '2026-11-22 07:00:05 UTC' */
function timeOf(at: string): string {
  return at === '' ? '' : `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}

const statusWords: Readonly<Record<StepState['status'], string>> = {
  waiting: 'not begun',
  current: 'not begun',
  working: 'cut off',
  done: 'done',
  'not-needed': 'not needed',
  failed: 'failed',
};

function evidenceTable(evidence: Evidence): string {
  const rows = Object.entries(evidence)
    .filter(([name, value]) => !programEvidence.has(name) && value !== '')
    .map(([name, value]) => {
      const shown = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
      const isExact = /sha256|serial|fingerprint|nonce|keyId|address|file/iu.test(name);
      return `<tr><th scope="row">${escapeHtml(evidenceNames[name] ?? name)}</th><td${isExact ? ' class="exact"' : ''}>${escapeHtml(shown)}</td></tr>`;
    });
  return rows.length === 0 ? '' : `<table class="evidence"><tbody>${rows.join('')}</tbody></table>`;
}

function actorOf(definition: StepDefinition): string {
  return definition.actor.role === 'administrator'
    ? 'Administrator'
    : `${definition.actor.role === 'custodian' ? 'Custodian' : 'Witness'} ${definition.actor.name}`;
}

/** Who pressed the button, each time the step was begun. */
function begunBy(source: TranscriptSource, step: string): string {
  return source.events
    .flatMap(({ event, at }) =>
      event.type === 'step-started' && event.step === step ? [`${timeOf(at)} by ${event.by}`] : [],
    )
    .map(escapeHtml)
    .join('<br>');
}

function failuresOf(source: TranscriptSource, step: string): string {
  return source.events
    .flatMap(({ event, at }) =>
      event.type === 'step-failed' && event.step === step ? [{ at, failure: event.failure }] : [],
    )
    .map(
      ({ at, failure }) =>
        `<p class="failure"><b>${timeOf(at)} · ${escapeHtml(failure.code)}.</b> ${escapeHtml(failure.message)}</p>`,
    )
    .join('');
}

/** What was done elsewhere before the step: at a node, in a file. */
function guideOf({ guide }: StepDefinition): string {
  return guide === undefined ? '' : `\n<ol>${guide.steps.map((step) => `<li>${escapeHtml(step)}</li>`).join('')}</ol>`;
}

function stepSection(source: TranscriptSource, definition: StepDefinition, number: number): string {
  const step = source.state.steps.find(({ id }) => id === definition.id);
  if (step === undefined) return '';
  const found = source.events.some(
    ({ event }) => event.type === 'step-finished' && event.step === step.id && event.outcome === 'found-done',
  );
  const outcome = found ? 'found done' : statusWords[step.status];
  const begun = begunBy(source, step.id);
  return `<section class="step">
<h3><span class="number">${number.toString()}</span> ${escapeHtml(definition.title)} <span class="outcome outcome-${step.status}">${outcome}</span></h3>
<p class="who">${escapeHtml(actorOf(definition))}${begun === '' ? '' : `<br>Begun ${begun}`}${step.endedAt === '' ? '' : `<br>Ended ${timeOf(step.endedAt)}`}</p>
<p>${escapeHtml(definition.explanation)}</p>${guideOf(definition)}
${failuresOf(source, step.id)}${evidenceTable(step.evidence)}</section>`;
}

function rowsOf(rows: readonly (readonly [string, string])[]): string {
  return rows
    .map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('');
}

const outcomeWords = { open: 'not ended', completed: 'completed', abandoned: 'abandoned' } as const;

/** Draws the transcript. Holds nothing that the journal does not hold. */
export function drawTranscript(source: TranscriptSource): string {
  const { state, events, head } = source;
  const title = `${titleOf(state.plan)}: ${subjectOf(state.plan)}`;
  const started = events[0]?.event;
  const headWords = pgpWordsOfHex(head);
  // A table's head is the one thing that every page of a print repeats without covering what is below it.
  const band = state.plan.rehearsal
    ? '<thead><tr><td class="band">Rehearsal · not a real ceremony</td></tr></thead>'
    : '';
  const deviations =
    state.deviations.length === 0
      ? '<p>None.</p>'
      : `<ul>${state.deviations.map(({ step, text, at }) => `<li><b>${timeOf(at)}${step === '' ? '' : ` · ${escapeHtml(step)}`}.</b> ${escapeHtml(text)}</li>`).join('')}</ul>`;
  const resumed = events.flatMap(({ event, at }) =>
    event.type === 'run-resumed' ? [`${timeOf(at)} by ${event.by}`] : [],
  );
  const participants = [...new Set(events.flatMap(({ event }) => ('by' in event ? [event.by] : [])))];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${transcriptStyle}</style>
</head>
<body>
<table class="pages" role="presentation">${band}<tbody><tr><td class="page">
<main>
<header>
<p class="kind">Transcript</p>
<h1>${escapeHtml(title)}</h1>
<p class="summary"><span class="outcome outcome-run-${state.status}">${outcomeWords[state.status]}</span> ${timeOf(state.startedAt)}${state.endedAt === '' ? '' : ` to ${timeOf(state.endedAt)}`}</p>
</header>
<section>
<h2>What was decided</h2>
<table><tbody>${rowsOf(planFacts(state.plan))}</tbody></table>
</section>
<section>
<h2>Who and where</h2>
<table><tbody>${rowsOf([
    ['Acted', participants.join(', ')],
    ['Machine', started?.type === 'run-started' ? started.host : ''],
    ['Program', started?.type === 'run-started' ? `Key Custodian ${started.appVersion}` : ''],
    ['Run', state.runId],
    ...(resumed.length === 0 ? [] : ([['Taken up again', resumed.join('; ')]] as const)),
  ])}</tbody></table>
</section>
<section>
<h2>Steps</h2>
${stepsOf(state.plan)
  .map((definition, index) => stepSection(source, definition, index + 1))
  .join('\n')}
</section>
<section>
<h2>Deviations</h2>
${deviations}
</section>
<section class="seal">
<h2>Journal</h2>
<p>${events.length.toString()} records. SHA-256 of the last one, as hex and as words of the PGP word list:</p>
<p class="exact">${escapeHtml(head)}</p>
<ol class="words">${headWords.map((word) => `<li>${escapeHtml(word)}</li>`).join('')}</ol>
<p>Whoever has the journal file can check it with <code>custodian journal verify FILE</code>; its head must be the one above.</p>
</section>
<section class="signatures">
<div><span>Administrator</span></div><div><span>Witness</span></div><div><span>Place and date</span></div>
</section>
</main>
</td></tr></tbody></table>
</body>
</html>
`;
}
