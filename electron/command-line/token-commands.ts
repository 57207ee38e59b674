import type { Command } from 'commander';
import { z } from 'zod';
import type { TokenSetupPlan } from '../workflows/plans.ts';
import { success } from '../workflows/failures.ts';
import type { WrappingCurve } from '../workflows/key-kinds.ts';
import { chosenToken } from './care-command.ts';
import { chooseSlot, storeOf } from './chosen-token.ts';
import type { ChosenToken } from './chosen-token.ts';
import {
  addKeyOptions,
  addRunOptions,
  addSoPinOptions,
  addTokenOptions,
  keyShape,
  keyWish,
  runShape,
  soPinShape,
  tokenShape,
} from './options.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';

const initShape = {
  ...runShape,
  ...soPinShape,
  ...tokenShape,
  ...keyShape,
  label: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').default('key-custodian'),
  slot: z
    .string()
    .regex(/^\d{1,10}$/u, 'needs the number of a slot')
    .transform(Number)
    .optional(),
};

const generateShape = { ...runShape, ...tokenShape, ...keyShape, label: z.string().min(1, 'needs a label').optional() };

function tokenSetupPlan(
  { store, token }: ChosenToken,
  wish: {
    readonly initialize: boolean;
    readonly label: string;
    readonly keyLabel: string;
    readonly bits: 2048 | 3072 | 4096;
    readonly curve?: WrappingCurve | undefined;
  },
): TokenSetupPlan {
  return {
    workflow: 'token-setup',
    rehearsal: store.rehearsal,
    storeId: store.id,
    storeName: store.name,
    slotId: token.slotId,
    expectedSerial: token.serial,
    initialize: wish.initialize,
    currentLabel: token.initialized ? token.label : '',
    label: wish.label,
    keyLabel: wish.keyLabel,
    ...keyWish(wish),
  };
}

function summary(facts: Readonly<Record<string, string | number | boolean>>): string {
  const serial = String(facts['serial'] ?? '');
  return [
    `The token is ready: serial ${serial}, key “${String(facts['keyLabel'] ?? '')}”.`,
    'Compare the words of its public key whenever the token is used, and note the words of the journal’s head on paper.',
  ].join('\n');
}

/** `custodian token init` and `custodian key generate`. */
export function addTokenCommands(program: Command, registry: Registry): void {
  const token = program.command('token').description('set up tokens');
  const init = token
    .command('init')
    .description('initialise a token (erases it), set its PINs and make the wrapping key pair')
    .option('--label <label>', 'what the token is called from now on, up to 32 bytes (default: key-custodian)')
    .option('--slot <n>', 'the slot to initialise, where several are free');
  addRunOptions(addSoPinOptions(addTokenOptions(addKeyOptions(init))));
  addRunAction(init, registry, initShape, (options) =>
    success({
      workflow: 'token-setup',
      options,
      plan: async ({ core }) => {
        const store = await storeOf(core, options.module);
        if (!store.ok) return store;
        const chosen = await chooseSlot(core, { store: store.value, serial: options.serial, slot: options.slot });
        if (!chosen.ok) return chosen;
        return success(tokenSetupPlan(chosen.value, { ...options, initialize: true }));
      },
      summary,
    }),
  );

  const key = program.command('key').description('make keys');
  const generate = key
    .command('generate')
    .description('make a wrapping key pair on a token that is set up already')
    .option('--label <label>', 'the token, by its label');
  addRunOptions(addTokenOptions(addKeyOptions(generate)));
  addRunAction(generate, registry, generateShape, (options) =>
    success({
      workflow: 'token-setup',
      options,
      plan: async ({ core }) => {
        const chosen = await chosenToken(core, options);
        if (!chosen.ok) return chosen;
        const { label } = chosen.value.token;
        return success(tokenSetupPlan(chosen.value, { ...options, initialize: false, label }));
      },
      summary,
    }),
  );
}
