import type { Command } from 'commander';
import { z } from 'zod';
import { readOptions } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { Registry } from './registry.ts';

const serveShape = {
  config: z.string().min(1, 'needs the path of a file').optional(),
  listen: z.string().min(1, 'needs unix:///PATH').optional(),
  provider: z.string().min(1, 'needs softhsm, pkcs11 or hvault').optional(),
  debug: z.boolean().default(false),
};

/** kleidi's flags (FORMATS 2.1) and what they are called here. */
const kleidiFlags: Readonly<Record<string, string>> = {
  listen: '--listen',
  provider: '--provider',
  configfile: '--config',
  debugmode: '--debug',
};

/**
 * The same command line with kleidi's flags, which begin with one dash or two and have their value behind “=” or a
 * blank, under this program's names: a Pod that was written for kleidi keeps its arguments.
 */
export function withoutKleidiFlags(argumentList: readonly string[]): readonly string[] {
  if (argumentList[0] !== 'kms' || argumentList[1] !== 'serve') return argumentList;
  return argumentList.flatMap((argument) => {
    const [, name, value] = /^--?([a-z]+)(?:=(.*))?$/su.exec(argument) ?? [];
    const known = kleidiFlags[name ?? ''];
    if (known === undefined) return [argument];
    if (known === '--debug') return value === 'false' ? [] : [known];
    return value === undefined ? [known] : [known, value];
  });
}

function signal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name));
  });
}

/** `custodian kms serve`: ends at SIGINT or SIGTERM. */
export function addKmsServeCommand(kms: Command, registry: Registry): void {
  const serve = kms
    .command('serve')
    .description('serve KMS v2 to kube-apiserver on a unix socket, with a key on a token or in Transit')
    .option('--config <file>', 'config.json (default: kleidi’s, where there is one)')
    .option('--listen <address>', 'unix:///PATH of the socket, instead of the file’s')
    .option('--provider <name>', 'softhsm, pkcs11 or hvault, instead of the file’s')
    .option('--debug', 'log each call: its uid and key id, never its contents');
  serve.action(async () => {
    const options = readOptions(serveShape, serve);
    if (!options.ok) return registry.settle(misused(options.error));
    const { config, listen, provider, debug } = options.value;
    const ending = signal();
    // Read for this command alone: it loads the PKCS#11 binding.
    const { startProvider } = await import('../../k8s-bridge/kms-provider/serve.ts');
    const started = await startProvider({
      file: config,
      listen,
      provider,
      withDebug: debug,
      version: registry.locations.version,
      writeLog: (line) => process.stderr.write(line),
    });
    if (!started.ok) return registry.settle(failed(started.error));
    await ending;
    await started.value.stop();
    registry.settle(done({ ended: true }, ''));
  });
}
