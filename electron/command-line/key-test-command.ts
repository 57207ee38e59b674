import type { Command } from 'commander';
import { z } from 'zod';
import type { KeyTestPlan } from '../workflows/device-plans.ts';
import type { TokenObject } from '../workflows/device-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import { addCareOptions, carriesOut, commandGroup, isSmartCardHsm, visibleObjects } from './care-command.ts';
import { repeatable } from './options.ts';
import type { Registry } from './registry.ts';

/** Every key pair that shows either half, once. */
function keysAmong(objects: readonly TokenObject[], labels: readonly string[]): KeyTestPlan['keys'] {
  const keys = new Map<string, { label: string; id: string }>();
  for (const { objectClass, label, id } of objects) {
    if (objectClass !== 'public-key' && objectClass !== 'private-key') continue;
    if (labels.length === 0 || labels.includes(label)) keys.set(`${label} ${id}`, { label, id });
  }
  return [...keys.values()];
}

/** `custodian key test`. */
export function addKeyTestCommand(program: Command, registry: Registry): void {
  const test = commandGroup(program, 'key', 'make keys')
    .command('test')
    .description('a round trip with every key pair of a token, or with those named')
    .option('--key-label <label>', 'only this key; may be repeated', repeatable)
    .option('--attest', 'also check where a SmartCard-HSM and its keys come from');
  carriesOut({
    command: addCareOptions(test),
    registry,
    shape: {
      keyLabel: z.array(z.string().min(1, 'needs a label')).default([]),
      attest: z.boolean().default(false),
    },
    workflow: 'key-test',
    plan: async ({ core, chosen, common }, wish) => {
      const objects = await visibleObjects(core, chosen);
      if (!objects.ok) return objects;
      const keys = keysAmong(objects.value, wish.keyLabel);
      if (keys.length === 0) {
        return failure(
          'Token_KeyMissing',
          'There is no such key pair on the token.',
          'See what there is with: custodian object list.',
        );
      }
      const smartCardHsm = wish.attest ? await isSmartCardHsm(core, chosen) : success(false);
      if (!smartCardHsm.ok) return smartCardHsm;
      if (wish.attest && !smartCardHsm.value) {
        return failure(
          'Device_NotSmartCardHsm',
          'Only a SmartCard-HSM says where it and its keys come from; this token is none.',
          'Leave --attest out.',
        );
      }
      return success({ workflow: 'key-test', ...common, keys, attest: smartCardHsm.value });
    },
    summary: () => 'Every key did what it should.',
  });
}
