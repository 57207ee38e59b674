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

function describe({ under }: StoredCount): string {
  return under
    .map(({ provider, keyId, count }) => `${count.toString()} ${provider}${keyId === '' ? '' : ` ${keyId}`}`)
    .join(', ')
    .slice(0, 1000);
}

async function countStored(context: StepContext, effect: Effect<'kms.count'>): EffectResult {
  const { resource, provider, mustBeAll, etcd } = effect;
  const counted = await context.ports.kms.countStored(etcd, resource);
  if (!counted.ok) return counted;
  const { total, under } = counted.value;
  // The key in force is the one that the canary of this run was encrypted under.
  const inForce = context.facts['kmsKeyId'];
  const sum = (holds: (one: StoredCount['under'][number]) => boolean): number =>
    under.filter(holds).reduce((all, { count }) => all + count, 0);
  const evidence = {
    counted: total,
    unencrypted: sum((one) => one.provider === 'identity'),
    underKey: sum((one) => one.provider === providerName(provider) && one.keyId === inForce),
    underOtherKeys: sum(
      (one) => one.provider !== 'identity' && !(one.provider === providerName(provider) && one.keyId === inForce),
    ),
    byKey: describe(counted.value),
  };
  if (mustBeAll && evidence.underKey !== total)
    return failure(
      'Cluster_NotEncrypted',
      `${(total - evidence.underKey).toString()} of ${total.toString()} ${resource} are still unencrypted or under an old key.`,
      'Begin the step before this one anew: somebody may have written while an API server still had the old key.',
      { ...evidence },
    );
  return done(evidence);
}

const numberIn = (value: unknown): number => (typeof value === 'number' ? value : 0);

async function rewrite(context: StepContext, { cluster, resource }: Effect<'kms.rewrite'>): EffectResult {
  // Each page is in the journal once it is done, so that a run goes on where it was.
  let from = typeof context.noted['rewriteContinueFrom'] === 'string' ? context.noted['rewriteContinueFrom'] : '';
  let rewritten = from === '' ? 0 : numberIn(context.noted['rewrittenObjects']);
  let gone = from === '' ? 0 : numberIn(context.noted['goneObjects']);
  for (;;) {
    const page = await context.ports.kms.rewritePage(cluster, resource, from);
    if (!page.ok) return page;
    rewritten += page.value.rewritten;
    gone += page.value.gone;
    from = page.value.continueFrom;
    if (from === '') return done({ rewrittenObjects: rewritten, goneObjects: gone, rewriteContinueFrom: '' });
    const noted = await context.note({ rewrittenObjects: rewritten, goneObjects: gone, rewriteContinueFrom: from });
    if (!noted.ok) return failed(noted.error);
  }
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
