import type { RunView, StepView } from '../../contract/views.ts';
import type { RunSnapshot } from '../../core/core.ts';
import { subjectOf, titleOf } from '../../workflows/definitions.ts';
import type { Actor, Evidence, StepDefinition, StepState } from '../../workflows/run.ts';
import { toOptionalFailureView } from './failure-view.ts';

function toActorView(actor: Actor): StepView['actor'] {
  return { role: actor.role, name: actor.role === 'administrator' ? '' : actor.name };
}

/** Only what the step says that it records; a field that an effect adds unasked does not leave main. */
function toEvidenceView(evidence: Evidence, records: readonly string[]): StepView['evidence'] {
  const view: StepView['evidence'] = {};
  for (const name of records) {
    const value = evidence[name];
    if (value !== undefined) view[name] = value;
  }
  return view;
}

function toStepView(definition: StepDefinition, state: StepState | undefined): StepView {
  return {
    id: definition.id,
    title: definition.title,
    actor: toActorView(definition.actor),
    explanation: definition.explanation,
    guide:
      definition.guide === undefined ? null : { steps: [...definition.guide.steps], example: definition.guide.example },
    action: definition.action,
    pace: definition.pace,
    danger:
      definition.danger === undefined
        ? null
        : { typedName: definition.danger.typedName, losses: [...definition.danger.losses] },
    status: state?.status ?? 'waiting',
    startedAt: state?.startedAt ?? '',
    endedAt: state?.endedAt ?? '',
    attempts: state?.attempts ?? 0,
    evidence: toEvidenceView(state?.evidence ?? {}, definition.records),
    problem: toOptionalFailureView(state?.failure),
  };
}

function actorInWords(actor: Actor): string {
  return actor.role === 'administrator' ? 'the administrator' : `${actor.role} ${actor.name}`;
}

/** What the run waits for; '' when it works or has ended. */
function describeWaiting(snapshot: RunSnapshot): string {
  if (snapshot.state.status !== 'open') return '';
  const index = snapshot.state.steps.findIndex((step) => !['done', 'not-needed'].includes(step.status));
  const current = snapshot.state.steps[index];
  const definition = snapshot.definitions.find((step) => step.id === current?.id);
  if (current === undefined || definition === undefined) return '';
  if (snapshot.busy) {
    return definition.pace === 'prompt'
      ? `Waits for ${actorInWords(definition.actor)} at the prompt window, or works`
      : '';
  }
  if (current.status === 'failed')
    return `Waits for ${actorInWords(definition.actor)} to try "${definition.title}" again`;
  return `Waits for ${actorInWords(definition.actor)}: ${definition.action}`;
}

export function toRunView(snapshot: RunSnapshot): RunView {
  const { state, definitions } = snapshot;
  return {
    id: state.runId,
    workflow: state.workflow,
    title: titleOf(state.plan),
    subject: subjectOf(state.plan),
    rehearsal: state.plan.rehearsal,
    status: state.status,
    busy: snapshot.busy,
    waitsFor: describeWaiting(snapshot),
    startedBy: state.startedBy,
    startedAt: state.startedAt,
    endedAt: state.endedAt,
    steps: definitions.map((definition) =>
      toStepView(
        definition,
        state.steps.find((step) => step.id === definition.id),
      ),
    ),
    deviations: state.deviations.map(({ step, text, at }) => ({ step, text, at })),
    journalHead: snapshot.journalHead,
    problem: toOptionalFailureView(snapshot.problem),
  };
}
