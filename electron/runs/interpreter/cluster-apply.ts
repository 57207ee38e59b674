import { secretPurpose } from '../../sealing/schema.ts';
import type { ClusterEffect } from '../../workflows/cluster-effects.ts';
import type { ObjectOutcome, PushRecord, SealedSlotValue } from '../../workflows/cluster-ports.ts';
import { objectInWords, typedClusterName } from '../../workflows/cluster-push.ts';
import type { Failure, Result } from '../../workflows/failures.ts';
import { success } from '../../workflows/failures.ts';
import { clusterWords } from '../../workflows/words-cluster.ts';
import { conflictsOf, keptIn, previewAgain } from './cluster-before.ts';
import { allIn, evidenceOfOutcomes, inAndOut, incomplete, requireRecord } from './cluster-outcomes.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, failed, foundDone } from './context.ts';

type EffectOf<Kind extends ClusterEffect['kind']> = Extract<ClusterEffect, { kind: Kind }>;

/** A PIN has four characters and more on every token; a longer minimum is the token's own business. */
const minimumLength = 4;

/** Each value that no manifest holds, typed twice and sealed to the cluster host. */
async function askForValues(
  context: StepContext,
  { content, cluster }: EffectOf<'cluster.apply'>,
  found: readonly ObjectOutcome[],
): Promise<Result<readonly SealedSlotValue[]>> {
  // What an earlier attempt has put in is left as it is, so it is not typed again.
  const there = new Set(found.filter((one) => allIn([one])).map(({ reference }) => objectInWords(reference)));
  const slots = content.secretSlots.filter(({ reference }) => !there.has(objectInWords(reference)));
  if (slots.length === 0) return success([]);
  const kubectl = await context.ports.clusters.describeKubectl();
  if (!kubectl.ok) return kubectl;
  const text = clusterWords.push.apply;
  const values: SealedSlotValue[] = [];
  for (const { reference, key, what } of slots) {
    const typed = await context.ports.prompt.askPassword({
      runId: context.runId,
      rehearsal: context.plan.rehearsal,
      act: text.act(typedClusterName(cluster)),
      tokenLabel: '',
      tokenSerial: '',
      what: text.typed(what, `${reference.namespace}/${reference.name}`),
      custodian: 'Administrator',
      isNew: true,
      form: 'secret-value',
      minimumLength,
      problem: '',
      recipient: kubectl.value.sealingPublicKey,
      purpose: secretPurpose.secretSlot(reference, key),
    });
    if (!typed.ok) return typed;
    values.push({ reference, key, sealed: typed.value });
  }
  return success(values);
}

/** A failure of the whole call, with what is in, as far as the cluster still says it. */
async function tellWhatIsIn(context: StepContext, record: PushRecord, error: Failure): EffectResult {
  const looked = await context.ports.clusters.lookAtPush(record);
  if (!looked.ok) {
    return failed({
      ...error,
      message: `${error.message} Which objects are in is not known until the cluster answers.`,
    });
  }
  const noted = await context.note(evidenceOfOutcomes(looked.value));
  if (!noted.ok) return noted;
  return failed({ ...error, message: `${error.message} ${inAndOut(looked.value)}` });
}

export async function applyPush(context: StepContext, effect: EffectOf<'cluster.apply'>): EffectResult {
  const { clusters } = context.ports;
  const record = await requireRecord(context, context.runId);
  if (!record.ok) return record;
  let found: readonly ObjectOutcome[] = [];
  if (context.noted['applying'] === true) {
    const looked = await clusters.lookAtPush(record.value);
    if (!looked.ok) return looked;
    if (allIn(looked.value)) return foundDone(evidenceOfOutcomes(looked.value));
    found = looked.value;
  } else {
    const preview = await previewAgain(context, effect);
    if (!preview.ok) return preview;
    const conflicts = conflictsOf(preview.value);
    if (conflicts.length > 0) {
      const told = await context.deviate(`Fields of other managers are taken over: ${conflicts.join(', ')}.`);
      if (!told.ok) return told;
    }
  }
  const values = await askForValues(context, effect, found);
  if (!values.ok) return values;
  const noted = await context.note({ applying: true });
  if (!noted.ok) return noted;
  const applied = await clusters.apply(record.value, {
    takeOverConflicts: effect.takeOverConflicts,
    secrets: values.value,
  });
  if (!applied.ok) return tellWhatIsIn(context, record.value, applied.error);
  const evidence = evidenceOfOutcomes(applied.value);
  if (allIn(applied.value))
    return done(values.value.length === 0 ? evidence : { ...evidence, valuesTyped: values.value.length });
  const told = await context.note(evidence);
  return told.ok ? incomplete(applied.value, 'push') : told;
}

/**
 * A Secret whose typed value is the one of before looks as if nothing had reached it. That the push has reached
 * every object is known when this is asked, so what differs in nothing else is in.
 */
async function readBack(context: StepContext, record: PushRecord): Promise<Result<readonly ObjectOutcome[]>> {
  const looked = await context.ports.clusters.lookAtPush(record);
  if (!looked.ok || allIn(looked.value)) return looked;
  const hasValue = (name: string): boolean =>
    record.content.secretSlots.some(({ reference }) => objectInWords(reference) === name);
  if (!looked.value.some(({ reference }) => hasValue(objectInWords(reference)))) return looked;
  const drift = await context.ports.clusters.checkDrift(record);
  if (!drift.ok) return drift;
  const same = new Set(
    drift.value.flatMap(({ reference, state }) => (state === 'same' ? [objectInWords(reference)] : [])),
  );
  return success(
    looked.value.map((one) => {
      const name = objectInWords(one.reference);
      return one.outcome === 'not-reached' && hasValue(name) && same.has(name) ? { ...one, outcome: 'changed' } : one;
    }),
  );
}

/** What is in, read back. The earlier values of replaced Secrets stay where they are: an undo needs them. */
export async function settlePush(context: StepContext): EffectResult {
  const record = await requireRecord(context, context.runId);
  if (!record.ok) return record;
  const looked = await readBack(context, record.value);
  if (!looked.ok) return looked;
  const evidence = { ...evidenceOfOutcomes(looked.value), keptSecrets: keptIn(record.value) };
  if (allIn(looked.value)) return done(evidence);
  const told = await context.note(evidence);
  return told.ok ? incomplete(looked.value, 'push') : told;
}
