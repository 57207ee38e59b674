import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { checkPlugin } from '../../k8s-bridge/kms-provider/check.ts';
import { failure } from '../workflows/failures.ts';
import { commonShape, readOptions } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import { printable } from './printable.ts';
import type { Registry } from './registry.ts';
import { createStyle, takesColour } from './style.ts';
import { tableLines } from './table.ts';

const checkShape = {
  json: commonShape.json,
  socket: z
    .string()
    .min(1, 'needs the path of a socket')
    .transform((address) => resolve(address.replace(/^unix:\/\//u, '')))
    .optional(),
};

/** `custodian kms check`: on any plugin's socket. */
export function addKmsCheckCommand(kms: Command, registry: Registry): void {
  const check = kms
    .command('check')
    .description('try what kube-apiserver expects of a KMS v2 plugin, of this project or another')
    .option('--socket <path>', 'the plugin’s socket')
    .option('--json', 'answer as one JSON document');
  check.action(async () => {
    const options = readOptions(checkShape, check);
    if (!options.ok) return registry.settle(misused(options.error));
    const { socket } = options.value;
    if (socket === undefined) {
      const missing = failure('App_BadRequest', 'A socket is needed.', 'Give --socket PATH.');
      return registry.settle(misused(missing.error));
    }
    const checked = await checkPlugin(socket);
    if (!checked.ok) return registry.settle(failed(checked.error));
    const points = checked.value;
    const broken = points.filter(({ holds }) => !holds);
    const value = { socket, points };
    const rows = points.map(({ point, holds, seen }) => [holds ? 'holds' : 'BROKEN', point, printable(seen)]);
    const style = createStyle(takesColour(process.stdout, process.env));
    const text = tableLines(['', 'POINT', 'SEEN'], rows, style).join('\n');
    if (broken.length === 0) return registry.settle(done(value, text));
    const error = failure(
      'Kms_ContractBroken',
      `${broken.length} of ${points.length} points do not hold.`,
      'kube-apiserver refuses such a plugin, or cannot rely on it: see the points above.',
    ).error;
    registry.settle(failed(error, { value, text }));
  });
}
