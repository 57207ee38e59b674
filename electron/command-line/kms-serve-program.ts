import { Command, CommanderError } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { addKmsServeCommand, withoutKleidiFlags } from './kms-serve-command.ts';
import type { Locations } from './locations.ts';
import type { CommandOutcome } from './outcome.ts';
import { printOutcome } from './print-outcome.ts';
import { findSecretArgument } from './refuse-secrets.ts';
import { createStyle, takesColour } from './style.ts';

/** Help and complaints are the whole program's; it does not start to serve. */
async function askWholeProgram(argumentList: readonly string[], locations: Locations): Promise<ExitCode> {
  const { runCommandLine } = await import('./program.ts');
  return runCommandLine(argumentList, locations);
}

/**
 * `custodian kms serve` without the rest of the program, whose code would stay in memory for as long as it serves.
 * @param argumentList without the program's own name
 */
export async function runKmsServe(argumentList: readonly string[], locations: Locations): Promise<ExitCode> {
  if (findSecretArgument(argumentList) !== undefined) return askWholeProgram(argumentList, locations);
  let outcome: CommandOutcome | undefined;
  const program = new Command('custodian');
  const kms = program.command('kms');
  addKmsServeCommand(kms, {
    locations,
    settle: (result) => {
      outcome = result;
    },
  });
  for (const command of [program, kms, ...kms.commands])
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await program.parseAsync([...withoutKleidiFlags(argumentList)], { from: 'user' });
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    return askWholeProgram(argumentList, locations);
  }
  if (outcome === undefined) return askWholeProgram(argumentList, locations);
  return printOutcome(outcome, {
    json: false,
    errorStyle: createStyle(takesColour(process.stderr, process.env)),
    streams: {
      stdout: (text) => {
        process.stdout.write(text);
      },
      stderr: (text) => {
        process.stderr.write(text);
      },
    },
  });
}
