/** The machine's Go, for servers that are built from modules. */
import { existsSync } from 'node:fs';
import { findProgram } from './commands.mjs';

/** @returns its path, or undefined where there is none */
export function findGo() {
  const usual = '/usr/local/go/bin/go';
  return findProgram('go') ?? (existsSync(usual) ? usual : undefined);
}
