import type { Command } from 'commander';
import type { z } from 'zod';
import { commonShape, readOptions } from './options.ts';
import { misused, type CommandOutcome } from './outcome.ts';
import type { Registry } from './registry.ts';
import { withSession, type Session } from './session.ts';
import { createSilentPrompt } from './silent-prompt.ts';

/**
 * A command that only looks: reads its options, opens a session that asks nobody anything, and settles what it found.
 * @param shape of the command's own options; those that every command has are read besides
 */
export function answersQuestion<Shape extends z.ZodRawShape>(
  command: Command,
  registry: Registry,
  shape: Shape,
  answer: (session: Session, options: z.output<z.ZodObject<Shape>>) => Promise<CommandOutcome>,
): void {
  command.action(async () => {
    const common = readOptions(commonShape, command);
    if (!common.ok) {
      registry.settle(misused(common.error));
      return;
    }
    const own = readOptions(shape, command);
    if (!own.ok) {
      registry.settle(misused(own.error));
      return;
    }
    registry.settle(
      await withSession(
        {
          locations: registry.locations,
          dataDirectory: common.value.dataDir,
          by: undefined,
          kubeconfig: common.value.kubeconfig,
          makePrompt: createSilentPrompt,
        },
        (session) => answer(session, own.value),
      ),
    );
  });
}
