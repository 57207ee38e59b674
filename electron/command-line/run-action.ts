import type { Command } from 'commander';
import type { z } from 'zod';
import { readOptions } from './options.ts';
import { misused } from './outcome.ts';
import type { CommandOutcome, Read } from './outcome.ts';
import type { Registry } from './registry.ts';
import { executeRunCommand } from './run-command.ts';
import type { RunCommand } from './run-command.ts';

/** What a command makes of its options before anything is opened. */
export interface RunAction extends Pick<RunCommand, 'workflow' | 'options' | 'plan' | 'summary'> {
  /** Looks once more at a run that is done: a check that found something is no success to a script. */
  readonly judge?: (outcome: CommandOutcome) => CommandOutcome;
}

/**
 * Gives a command the action of a run: its options are read, its plan is drawn up, and it is carried out.
 * @param act answers a failure where the options are well formed each and do not go together
 */
export function addRunAction<Shape extends z.ZodRawShape>(
  command: Command,
  registry: Registry,
  shape: Shape,
  act: (options: z.output<z.ZodObject<Shape>>) => Read<RunAction>,
): void {
  const outcome = async (): Promise<CommandOutcome> => {
    const options = readOptions(shape, command);
    if (!options.ok) return misused(options.error);
    const action = act(options.value);
    if (!action.ok) return misused(action.error);
    const { judge, ...run } = action.value;
    const ended = await executeRunCommand({ command, registry, ...run });
    return judge?.(ended) ?? ended;
  };
  command.action(async () => {
    registry.settle(await outcome());
  });
}
