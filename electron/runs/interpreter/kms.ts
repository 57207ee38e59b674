/** Encryption at rest: a canary, counts, and objects written again in pages that a crash does not lose. */
import { failure } from '../../workflows/failures.ts';
import type { KmsEffect } from '../../workflows/kms-effects.ts';
import type { StoredCount } from '../../workflows/kms-ports.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, failed } from './context.ts';

type Effect<Kind extends KmsEffect['kind']> = Extract<KmsEffect, { kind: Kind }>;

const providerName = (provider: string): string => `kms:v2:${provider}`;

async function tryCanary(context: StepContext, effect: Effect<'kms.canary'>): EffectResult {
  const { cluster, etcd, namespace, provider } = effect;
  const tried = await context.ports.kms.tryCanary(cluster, etcd, namespace);
  if (!tried.ok) return tried;
  const { value } = tried;
  if (value.provider !== providerName(provider) || value.readable)
    return failure(
      'Cluster_NotEncrypted',
      value.readable
        ? 'The canary lies in etcd as it was written: it can be read.'
        : `The canary was encrypted by ${value.provider} and not by ${providerName(provider)}.`,
      'Check that kube-apiserver runs with this EncryptionConfiguration on every control-plane node, that the plugin comes first in it, and what its log says.',
      { provider: value.provider, beginsWith: value.beginsWith },
    );
  return done({ provider: value.provider, kmsKeyId: value.keyId, beginsWith: value.beginsWith });
}

type Under = StoredCount['under'];

const sumOf = (under: Under, holds: (one: Under[number]) => boolean): number =>
  under.filter(holds).reduce((all, { count }) => all + count, 0);

/** '12 kms:v2:NAME key-1, 3 identity', after the kind's name where several are counted. */
function describe(counts: readonly StoredCount[]): string {
  return counts
    .filter(({ total }) => total > 0)
    .map(({ resource, under }) => {
      const said = under
        .map(({ provider, keyId, count }) => `${count.toString()} ${provider}${keyId === '' ? '' : ` ${keyId}`}`)
        .join(', ');
      return counts.length === 1 ? said : `${resource}: ${said}`;
    })
    .join('; ')
    .slice(0, 4000);
}

async function countStored(context: StepContext, effect: Effect<'kms.count'>): EffectResult {
  const { cluster, resources, provider, mustBeAll, etcd } = effect;
  const counts: StoredCount[] = [];
  for (const resource of resources) {
    const counted = await context.ports.kms.countStored(cluster, etcd, resource);
    if (!counted.ok) return counted;
    counts.push(counted.value);
  }
  // The key in force is the one that the canary of this run was encrypted under.
  const inForce = context.facts['kmsKeyId'];
  const isInForce = (one: Under[number]): boolean => one.provider === providerName(provider) && one.keyId === inForce;
  const all = counts.flatMap(({ under }) => under);
  const counted = counts.reduce((sum, { total }) => sum + total, 0);
  const evidence = {
    counted,
    unencrypted: sumOf(all, ({ provider: by }) => by === 'identity'),
    underKey: sumOf(all, isInForce),
    underOtherKeys: sumOf(all, (one) => one.provider !== 'identity' && !isInForce(one)),
    byKey: describe(counts),
  };
  if (mustBeAll && evidence.underKey !== counted) {
    const which = counts.filter(({ total, under }) => sumOf(under, isInForce) !== total);
    return failure(
      'Cluster_NotEncrypted',
      `${(counted - evidence.underKey).toString()} of ${counted.toString()} are still unencrypted or under an old key: ${which.map(({ resource }) => resource).join(', ')}.`,
      'Begin the step before this one anew: somebody may have written while an API server still had the old key. A kind that stays as it is may not be named in the EncryptionConfiguration.',
      { ...evidence },
    );
  }
  return done(evidence);
}

const numberIn = (value: unknown): number => (typeof value === 'number' ? value : 0);
const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

async function rewrite(context: StepContext, { cluster, resources }: Effect<'kms.rewrite'>): EffectResult {
  // Each page is in the journal once it is done, so that a run goes on where it was.
  const { noted } = context;
  let from = textIn(noted['rewriteContinueFrom']);
  const at = textIn(noted['rewriteResource']);
  const isBegun = from !== '' || at !== '';
  let rewritten = isBegun ? numberIn(noted['rewrittenObjects']) : 0;
  let gone = isBegun ? numberIn(noted['goneObjects']) : 0;
  let waiting = resources.slice(Math.max(0, resources.indexOf(at)));
  for (let [resource] = waiting; resource !== undefined; [resource] = waiting) {
    const page = await context.ports.kms.rewritePage(cluster, resource, from);
    if (!page.ok) return page;
    rewritten += page.value.rewritten;
    gone += page.value.gone;
    from = page.value.continueFrom;
    if (from === '') waiting = waiting.slice(1);
    const counts = { rewrittenObjects: rewritten, goneObjects: gone };
    const [next] = waiting;
    if (next === undefined) return done({ ...counts, rewriteContinueFrom: '', rewriteResource: '' });
    const kept = await context.note({ ...counts, rewriteContinueFrom: from, rewriteResource: next });
    if (!kept.ok) return failed(kept.error);
  }
  return done({ rewrittenObjects: rewritten, goneObjects: gone, rewriteContinueFrom: '', rewriteResource: '' });
}

/** Carries out one effect about encryption at rest. */
export function performKms(context: StepContext, effect: KmsEffect): EffectResult {
  switch (effect.kind) {
    case 'kms.canary':
      return tryCanary(context, effect);
    case 'kms.count':
      return countStored(context, effect);
    case 'kms.rewrite':
      return rewrite(context, effect);
  }
}
