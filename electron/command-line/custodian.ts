/**
 * The `custodian` command line: the desktop app's workflows for a machine without a display and for
 * scripts. Entry of the bundle `out/main/custodian.cjs`; as source: `npx node electron/command-line/custodian.ts`.
 */
import type { ExitCode } from './exit-codes.ts';

async function run(argumentList: readonly string[]): Promise<ExitCode> {
  // Nothing is imported at the top: what parts share must not end up in this file, which they would then ask of it.
  const { locate } = await import('./locations.ts');
  const locations = locate(import.meta.url);
  // The KMS provider runs for months: it reads its own part of the program.
  if (argumentList[0] === 'kms' && argumentList[1] === 'serve') {
    const { runKmsServe } = await import('./kms-serve-program.ts');
    return runKmsServe(argumentList, locations);
  }
  const { runCommandLine } = await import('./program.ts');
  return runCommandLine(argumentList, locations);
}

run(process.argv.slice(2)).then(
  (exitCode) => {
    // A descriptor or a terminal that is still being read would keep the process alive.
    process.exit(exitCode);
  },
  (cause: unknown) => {
    // A bug. Its message could hold anything, so only its kind and place are said.
    const place = cause instanceof Error ? `${cause.name} ${cause.stack?.split('\n')[1]?.trim() ?? ''}` : typeof cause;
    process.stderr.write(
      `App_Internal  Something went wrong inside this program (${place}).\nWhat now: please report this line. A run that was open can be continued with --resume.\n`,
    );
    process.exit(1);
  },
);
