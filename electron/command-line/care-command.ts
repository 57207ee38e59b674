/** What the commands on a token in use have in common: how the token is chosen and how a run on it is carried out. */
import type { Command } from 'commander';
import { z } from 'zod';
import type { Core } from '../core/core.ts';
import type { TokenOfPlan } from '../workflows/device-plans.ts';
import type { TokenObject } from '../workflows/device-ports.ts';
import { success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { Plan } from '../workflows/plans.ts';
import { chooseToken, storeOf } from './chosen-token.ts';
import type { ChosenToken } from './chosen-token.ts';
import {
  addRunOptions,
  addTokenOptions,
  commonShape,
  readOptions,
  runShape,
  soPinShape,
  tokenShape,
} from './options.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { RunAction } from './run-action.ts';

const tokenLabelShape = { label: z.string().min(1, 'needs a label').optional() };
/** What a command that only reads a token takes. */
export const tokenChoiceShape = { ...commonShape, ...tokenShape, ...tokenLabelShape };
const careShape = { ...runShape, ...soPinShape, ...tokenShape, ...tokenLabelShape };

/** A command of the program under which others lie: 'token', 'value'. Made by whoever asks for it first. */
export function commandGroup(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description);
}

/** The options that name a token in use. */
export function addTokenChoice(command: Command): Command {
  return addTokenOptions(command.option('--label <label>', 'the token, by its label'));
}

/** The options of a run on a token in use. */
export function addCareOptions(command: Command): Command {
  return addRunOptions(addTokenChoice(command));
}

export function addConfirmOption(command: Command): Command {
  return command.option('--confirm <name>', 'the typed name of what is destroyed, for scripts');
}

/** How the options name a token. */
export interface TokenWish {
  readonly module?: string | undefined;
  readonly serial?: string | undefined;
  readonly label?: string | undefined;
}

/** The token that the options name, or the only one there is. */
export async function chosenToken(core: Core, wish: TokenWish): Promise<Result<ChosenToken>> {
  const store = await storeOf(core, wish.module);
  if (!store.ok) return store;
  return chooseToken(core, { store: store.value, serial: wish.serial, label: wish.label });
}

export const referenceOf = ({ store, token }: ChosenToken): TokenOfPlan => ({
  storeId: store.id,
  serial: token.serial,
  label: token.label,
});

/** Whether a token is a SmartCard-HSM, whose PINs have commands of their own. */
export async function isSmartCardHsm(core: Core, { store, token }: ChosenToken): Promise<Result<boolean>> {
  const devices = await core.devices.listDevices(store.id);
  if (devices.ok) return success(devices.value.some(({ serial }) => serial === token.serial));
  // The token was found without a card reader, so it is none.
  return devices.error.code.startsWith('Device_Pcsc') ? success(false) : devices;
}

/** Every object that is seen of a token; private ones only while somebody is logged in. */
export async function visibleObjects(core: Core, chosen: ChosenToken): Promise<Result<readonly TokenObject[]>> {
  const listed = await core.objects.listAllObjects(referenceOf(chosen));
  return listed.ok ? success(listed.value.objects) : listed;
}

type ObjectListing = Extract<Awaited<ReturnType<Core['objects']['listAllObjects']>>, { ok: true }>['value'];

/**
 * The token that the options name and all that is seen of it.
 * @param before done with the token before it is looked at, such as a login
 */
export async function listChosenToken(
  core: Core,
  wish: TokenWish,
  before?: (chosen: ChosenToken) => Promise<Result<unknown>>,
): Promise<Result<{ readonly chosen: ChosenToken; readonly listing: ObjectListing }>> {
  const chosen = await chosenToken(core, wish);
  if (!chosen.ok) return chosen;
  const prepared = await before?.(chosen.value);
  if (prepared?.ok === false) return prepared;
  const listed = await core.objects.listAllObjects(referenceOf(chosen.value));
  return listed.ok ? success({ chosen: chosen.value, listing: listed.value }) : listed;
}

export interface CareParts {
  readonly core: Core;
  readonly chosen: ChosenToken;
  /** What every plan of a run on a token holds. */
  readonly common: { readonly rehearsal: boolean; readonly token: TokenOfPlan };
}

/** A command that is a run on a token in use. */
export interface CareRun<Shape extends z.ZodRawShape> extends Pick<RunAction, 'workflow' | 'summary' | 'judge'> {
  readonly command: Command;
  readonly registry: Registry;
  /** The command's own options, beside those of every such run. */
  readonly shape: Shape;
  readonly plan: (parts: CareParts, wish: z.output<z.ZodObject<Shape>>) => Promise<Result<Plan>>;
}

/** Gives a command its action: options, token, plan, run. */
export function carriesOut<Shape extends z.ZodRawShape>({ command, registry, shape, ...run }: CareRun<Shape>): void {
  addRunAction(command, registry, careShape, (options) => {
    const own = readOptions(shape, command);
    if (!own.ok) return own;
    return success({
      ...run,
      options,
      plan: async ({ core }) => {
        const chosen = await chosenToken(core, options);
        if (!chosen.ok) return chosen;
        const common = { rehearsal: chosen.value.store.rehearsal, token: referenceOf(chosen.value) };
        return run.plan({ core, chosen: chosen.value, common }, own.value);
      },
    });
  });
}
