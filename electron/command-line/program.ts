import { Command, CommanderError } from 'commander';
import { failure } from '../workflows/failures.ts';
import { addClusterCommands } from './cluster-commands.ts';
import { addClusterEncryptionCommand } from './cluster-encryption-command.ts';
import { addDeviceListCommands } from './device-list-commands.ts';
import { addDeviceRunCommands } from './device-run-commands.ts';
import { addCertificateCommands } from './certificate-commands.ts';
import { addDevicesCommand } from './devices-command.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { addJournalCommands } from './journal-commands.ts';
import { addKeyTestCommand } from './key-test-command.ts';
import { addKmsCheckCommand } from './kms-check-command.ts';
import { addKmsServeCommand, withoutKleidiFlags } from './kms-serve-command.ts';
import { addKmsStatusCommand } from './kms-status-command.ts';
import type { Locations } from './locations.ts';
import { addObjectCommands } from './object-commands.ts';
import { misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { addPinCommands } from './pin-commands.ts';
import { printOutcome } from './print-outcome.ts';
import { addRecipeCommands } from './recipe-commands.ts';
import { addRecipeRunCommands } from './recipe-run-commands.ts';
import type { Registry } from './registry.ts';
import { findSecretArgument } from './refuse-secrets.ts';
import { addRehearseCommand } from './rehearse-command.ts';
import { createStyle, takesColour } from './style.ts';
import { addTokenCommands } from './token-commands.ts';
import { addValueCommands } from './value-commands.ts';
import { addVaultMigrateCommand } from './vault-migrate-command.ts';
import { addVaultTransitCommand } from './vault-transit-command.ts';
import { addVaultInitCommand } from './vault-init-command.ts';
import { addVaultStatusCommand } from './vault-status-command.ts';
import { addVaultUnsealCommand } from './vault-unseal-command.ts';

const help = `
PINs and shares are typed in the terminal or read from a file descriptor that you open for them;
never from an argument, never from the environment.

Exit codes: 0 done, 1 a failure (with its code, what happened and what to do), 2 the command was
written wrongly and nothing was tried, 130 cancelled.

Examples:
  custodian rehearse
  custodian token init --label office --so-pin-fd 3 --pin-fd 4 3< <(pass so-pin) 4< <(pass pin; pass pin)
  custodian vault init --name prod --address https://vault:8200 --ca-file ca.pem
  custodian vault unseal --name prod`;

/** Commander's complaints repeat what was typed, which may be a secret in the wrong place: said anew without it. */
function usageMessage(error: CommanderError): string {
  switch (error.code) {
    case 'commander.unknownOption': {
      const name = /'(--?[a-z-]{1,30})/u.exec(error.message)?.[1];
      return name === undefined
        ? 'There is an option that this command does not have.'
        : `This command has no option ${name}.`;
    }
    case 'commander.optionMissingArgument': {
      const name = /--[a-z-]+/u.exec(error.message)?.[0] ?? 'An option';
      return `${name} needs a value.`;
    }
    case 'commander.missingArgument':
      return 'An argument is missing.';
    case 'commander.excessArguments':
      return 'There are more arguments than this command takes.';
    case 'commander.unknownCommand':
      return 'There is no such command.';
    default:
      return 'The command is not complete.';
  }
}

function createProgram(registry: Registry): Command {
  const program = new Command('custodian');
  program
    .description('Set up HSM tokens, initialise and unseal Vault, and keep a record that an auditor can check.')
    .version(registry.locations.version, '--version')
    .addHelpText('after', help);
  const configured = (command: Command): Command =>
    command
      .exitOverride()
      .showSuggestionAfterError(false)
      .allowExcessArguments(false)
      .configureOutput({ writeErr: () => undefined });
  configured(program);
  addRehearseCommand(program, registry);
  addDevicesCommand(program, registry);
  addTokenCommands(program, registry);
  addPinCommands(program, registry);
  addKeyTestCommand(program, registry);
  addObjectCommands(program, registry);
  addCertificateCommands(program, registry);
  addValueCommands(program, registry);
  const device = program
    .command('device')
    .description('set up, back up, clone and erase a SmartCard-HSM (Nitrokey HSM)');
  addDeviceListCommands(device, registry);
  addDeviceRunCommands(device, registry);
  const vault = program.command('vault').description('initialise, unseal and watch Vault servers');
  addVaultInitCommand(vault, registry);
  addVaultUnsealCommand(vault, registry);
  addVaultStatusCommand(vault, registry);
  addVaultMigrateCommand(vault, registry);
  addVaultTransitCommand(vault, registry);
  addClusterCommands(program, registry);
  addClusterEncryptionCommand(program, registry);
  addRecipeCommands(program, registry);
  addRecipeRunCommands(program, registry);
  const kms = program
    .command('kms')
    .description('serve KMS v2 to kube-apiserver, check a plugin, and see how a cluster’s stand');
  addKmsServeCommand(kms, registry);
  addKmsCheckCommand(kms, registry);
  addKmsStatusCommand(kms, registry);
  addJournalCommands(program, registry);
  for (const command of program.commands) {
    configured(command);
    for (const subcommand of command.commands) configured(subcommand);
  }
  return program;
}

async function outcomeOf(argumentList: readonly string[], locations: Locations): Promise<CommandOutcome | undefined> {
  const secret = findSecretArgument(argumentList);
  if (secret !== undefined) return misused(secret);
  let outcome: CommandOutcome | undefined;
  const program = createProgram({
    locations,
    settle: (result) => {
      outcome = result;
    },
  });
  if (argumentList.length === 0) {
    program.outputHelp({ error: false });
    return undefined;
  }
  try {
    await program.parseAsync([...withoutKleidiFlags(argumentList)], { from: 'user' });
    return outcome;
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    if (cause.exitCode === 0) return undefined;
    return misused(
      failure('App_BadRequest', usageMessage(cause), 'See custodian --help, or --help after a command.').error,
    );
  }
}

/**
 * Carries out one command line.
 * @param argumentList without the program's own name
 * @returns the exit code; everything was said on stdout and stderr
 */
export async function runCommandLine(argumentList: readonly string[], locations: Locations): Promise<ExitCode> {
  const outcome = await outcomeOf(argumentList, locations);
  if (outcome === undefined) return exitCodes.ok;
  return printOutcome(outcome, {
    json: argumentList.includes('--json'),
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
