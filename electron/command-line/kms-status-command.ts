import type { Command } from 'commander';
import { z } from 'zod';
import { readKmsStatus } from '../core/kms-status.ts';
import { failure } from '../workflows/failures.ts';
import { resourceNameSchema } from '../workflows/kms-ports.ts';
import type { KeyFate, KmsState, PluginState, ServerKeyState } from '../workflows/kms-status.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addEtcdOptions, etcdShape, findEtcd, saysNothingOfEtcd } from './etcd-options.ts';
import { addCommonOptions, repeatable } from './options.ts';
import { done, failed, misused, type CommandOutcome } from './outcome.ts';
import { printable } from './printable.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';

const statusShape = {
  ...clusterShape,
  ...etcdShape,
  resource: z.array(resourceNameSchema).default([]),
};

/** Enough of a hash to tell keys apart; --json has the whole. */
const shortened = (hash: string): string => (hash === '' ? '–' : hash.slice(0, 'sha256:'.length + 12));
const timeText = (seconds: number): string =>
  seconds === 0 ? 'never' : new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/u, 'Z');

function healthText({ reached, healthy, problem }: ServerKeyState): string {
  if (!reached) return problem === '' ? 'not reached' : `not reached: ${problem}`;
  return healthy ? 'healthy' : `NOT healthy: ${problem}`;
}

const fates: Readonly<Record<KeyFate, string>> = {
  current: 'all API servers use it',
  'in-use': 'some API servers use it, others another',
  stored: 'needed: objects lie under it',
  'may-go': 'may go, unless a backup of etcd needs it',
  unknown: 'keep it: not everything was seen',
};

const convergence: Readonly<Record<PluginState['converged'], string>> = {
  yes: 'All API servers are healthy and use the same key.',
  no: 'The API servers do not all use the same key, or one is not healthy.',
  unknown: 'Not every API server could be seen: whether all use the same key is not known.',
};

function pluginLines(session: Session, { provider, servers, converged, keys }: PluginState): readonly string[] {
  const serverRows = servers.map((server) => [
    server.name,
    healthText(server),
    shortened(server.keyIdHash),
    timeText(server.toldAt),
    server.wroteUnder === '' ? '–' : server.wroteUnder === server.keyIdHash ? 'the same' : shortened(server.wroteUnder),
  ]);
  const keyRows = keys.map(({ keyIdHash, keyId, servers: users, objects, fate }) => [
    keyId === '' ? shortened(keyIdHash) : `${shortened(keyIdHash)} ${keyId}`,
    String(users),
    objects === null ? 'not counted' : String(objects),
    fates[fate],
  ]);
  return [
    `Plugin ${printable(provider)}: ${convergence[converged]}`,
    '',
    ...tableLines(['API SERVER', 'HEALTH', 'KEY TOLD LAST', 'AT', 'LAST WROTE UNDER'], serverRows, session.style),
    '',
    ...tableLines(['KEY', 'API SERVERS', 'OBJECTS', ''], keyRows, session.style),
    '',
  ];
}

function stateText(session: Session, state: KmsState): string {
  const { plugins, complete, counted, notCounted } = state;
  const notes = [
    ...(complete ? [] : ['The leases of the API servers may not be read: there may be more of them.']),
    ...(counted.length === 0
      ? ['Nothing was counted in etcd: --etcd-pod, or --etcd with certificates, says what lies under which key.']
      : [`Counted in etcd: ${counted.join(', ')}.`]),
    ...(counted.length > 0 && notCounted.length > 0 ? [`Encrypted, but not counted: ${notCounted.join(', ')}.`] : []),
  ];
  if (plugins.length === 0) return ['No API server tells of a KMS v2 plugin.', ...notes].join('\n');
  return [...plugins.flatMap((plugin) => pluginLines(session, plugin)), ...notes].join('\n');
}

async function answer(session: Session, options: z.output<z.ZodObject<typeof statusShape>>): Promise<CommandOutcome> {
  const etcd = findEtcd(options);
  if (etcd === undefined && !saysNothingOfEtcd(options)) {
    return misused(
      failure(
        'App_BadRequest',
        'The way to etcd is not complete.',
        'Give --etcd-pod, or --etcd https://HOST:2379 --etcd-ca FILE --etcd-cert FILE --etcd-key FILE, or none of them.',
      ).error,
    );
  }
  const cluster = await chooseCluster(session.core, options);
  if (!cluster.ok) return failed(cluster.error);
  session.progress.begin('Asking the API servers');
  const status = await readKmsStatus(session.core.kms, { cluster: cluster.value, etcd, resources: options.resource });
  session.progress.end();
  if (!status.ok) return failed(status.error);
  const value = { context: cluster.value.context, ...status.value };
  const text = stateText(session, status.value);
  const apart = status.value.plugins.filter(({ converged }) => converged === 'no');
  if (apart.length === 0) return done(value, text);
  const names = apart.map(({ provider }) => provider).join(', ');
  const error = failure(
    'Kms_NotConverged',
    `The API servers do not all use the same key of ${names}, or one says that it is not healthy.`,
    'Wait for a minute after a rotation, then ask again; else see the plugin of that server and its log. Take no old key away before.',
  ).error;
  return failed(error, { value, text });
}

/** `custodian kms status`. */
export function addKmsStatusCommand(kms: Command, registry: Registry): void {
  const status = kms
    .command('status')
    .description('ask a cluster’s API servers which key each uses, and whether an old one may go')
    .option(
      '--resource <kind>',
      'count this kind in etcd beside what the API servers say is encrypted; may be repeated',
      repeatable,
    );
  answersQuestion(addCommonOptions(addEtcdOptions(addClusterOptions(status))), registry, statusShape, answer);
}
