import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { app } from 'electron';
import { dropRefusedVariables, findRefusedSwitch } from './command-line.ts';

/** A file that packaging puts into the test package alone. Run from source there is no package to protect. */
function isTestPackage(): boolean {
  return !app.isPackaged || existsSync(join(process.resourcesPath, 'test-package'));
}

/** The first switch that this app refuses to start with, or undefined. Also takes refused variables out of the environment. */
export function guardStart(): string | undefined {
  dropRefusedVariables(process.env);
  return findRefusedSwitch(process.argv.slice(app.isPackaged ? 1 : 2), { testPackage: isTestPackage() });
}
