/**
 * The `custodian` command line: the desktop app's workflows for a machine without a display and for
 * scripts. Entry of the bundle `out/main/custodian.cjs`; as source: `npx node electron/command-line/custodian.ts`.
 */
import { locate } from './locations.ts';
import { runCommandLine } from './program.ts';

runCommandLine(process.argv.slice(2), locate(import.meta.url)).then(
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
