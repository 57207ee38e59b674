import type { Command } from 'commander';
import { z } from 'zod';
import type { PinChangePlan } from '../workflows/device-plans.ts';
import { success } from '../workflows/failures.ts';
import {
  addCareOptions,
  addConfirmOption,
  carriesOut,
  commandGroup,
  isSmartCardHsm,
  visibleObjects,
} from './care-command.ts';
import type { CareParts } from './care-command.ts';
import type { Registry } from './registry.ts';
import { lossesOf } from '../workflows/token-losses.ts';

const holderShape = {
  holder: z.string().trim().min(1, 'needs a name').max(80, 'takes at most 80 characters').default('the holder'),
};

const addSoPinDescriptor = (command: Command): Command =>
  command.option('--so-pin-fd <n>', 'read SO-PINs from this open file descriptor, one a line');

function addPinRun(
  command: Command,
  registry: Registry,
  act: PinChangePlan['act'] | ((wish: { readonly so: boolean }) => PinChangePlan['act']),
  summary: string,
): void {
  const withHolder = command.option('--holder <name>', 'who holds the PIN that is typed, for the journal');
  carriesOut({
    command: addSoPinDescriptor(addCareOptions(withHolder)),
    registry,
    shape: { ...holderShape, so: z.boolean().default(false) },
    workflow: 'pin-change',
    plan: async ({ core, chosen, common }: CareParts, wish) => {
      const smartCardHsm = await isSmartCardHsm(core, chosen);
      if (!smartCardHsm.ok) return smartCardHsm;
      return success({
        workflow: 'pin-change',
        ...common,
        act: typeof act === 'string' ? act : act(wish),
        smartCardHsm: smartCardHsm.value,
        holder: wish.holder,
      });
    },
    summary: (facts) => {
      const tries = facts['pinTriesLeft'];
      return tries === undefined ? summary : `${summary} The PIN has ${tries.toString()} tries.`;
    },
  });
}

/** `custodian pin change`, `pin unblock`, `pin reset` and `token reset`. */
export function addPinCommands(program: Command, registry: Registry): void {
  const pin = commandGroup(program, 'pin', 'change and unblock PINs');
  addPinRun(
    pin
      .command('change')
      .description('change the user PIN, or with --so the SO-PIN: the one in force, then the new one')
      .option('--so', 'the SO-PIN'),
    registry,
    ({ so }) => (so ? 'change-so-pin' : 'change-pin'),
    'The token takes the new one from now on.',
  );
  addPinRun(
    pin
      .command('unblock')
      .description(
        'give a blocked user PIN its tries back with the SO-PIN; where the library cannot, a new PIN is set',
      ),
    registry,
    'unblock-pin',
    'The user PIN can be used again.',
  );
  addPinRun(
    pin.command('reset').description('set a new user PIN with the SO-PIN; keys and values stay'),
    registry,
    'reset-pin',
    'The token takes the new user PIN from now on.',
  );
  addTokenReset(program, registry);
}

function addTokenReset(program: Command, registry: Registry): void {
  const reset = commandGroup(program, 'token', 'set up tokens')
    .command('reset')
    .description('erase a token: every key and object on it is destroyed (asks for its serial and the SO-PIN)');
  carriesOut({
    command: addConfirmOption(addSoPinDescriptor(addCareOptions(reset))),
    registry,
    shape: {},
    workflow: 'token-reset',
    plan: async ({ core, chosen, common }) => {
      const smartCardHsm = await isSmartCardHsm(core, chosen);
      if (!smartCardHsm.ok) return smartCardHsm;
      const objects = await visibleObjects(core, chosen);
      if (!objects.ok) return objects;
      return success({
        workflow: 'token-reset',
        ...common,
        slotId: chosen.token.slotId,
        smartCardHsm: smartCardHsm.value,
        losses: [...lossesOf(objects.value, chosen.token.serial, core.vaults())],
      });
    },
    summary: () => 'The token is empty. Make its key pair with: custodian key generate, or set it up anew.',
  });
}
