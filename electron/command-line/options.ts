import { Option } from 'commander';
import type { Command } from 'commander';
import { z } from 'zod';
import { failure, success } from '../workflows/failures.ts';
import { planOfKeyKind, wrappingCurveSchema, type WrappingCurve } from '../workflows/key-kinds.ts';
import type { Read } from './outcome.ts';

/** File descriptors 1 and 2 are this program's own answers. */
const fileDescriptor = z
  .string()
  .regex(/^(?:0|[3-9]|[1-9]\d{1,3})$/u, 'needs the number of an open file descriptor: 0, or 3 and up')
  .transform(Number)
  .optional();

const count = (what: string): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,3}$/u, `needs ${what}`)
    .transform(Number);

const name = z.string().trim().min(1, 'needs a name').max(80, 'takes at most 80 characters');

/** What every command takes. */
export const commonShape = {
  json: z.boolean().default(false),
  dataDir: z.string().min(1, 'needs a folder').optional(),
  /** Only of commands that have to do with clusters. */
  kubeconfig: z.string().min(1, 'needs the path of a file').optional(),
};

/** What every command takes that carries out a run. */
export const runShape = {
  ...commonShape,
  by: name.optional(),
  resume: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,80}$/u, 'needs the id of a run')
    .optional(),
  pinFd: fileDescriptor,
  consentToLastTry: z.boolean().default(false),
};

export const soPinShape = { soPinFd: fileDescriptor, confirm: z.string().max(255).optional() };
export const shareShape = { shareFd: fileDescriptor };
export const dkekShape = { dkekFd: fileDescriptor };

/** How a token is named. */
export const tokenShape = {
  module: z.string().min(1, 'needs the path of a PKCS#11 library').optional(),
  serial: z.string().min(1, 'needs a serial number').max(32, 'takes at most 32 characters').optional(),
};

export const keyShape = {
  keyLabel: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').default('bank-vaults'),
  bits: z
    .enum(['2048', '3072', '4096'], 'takes 2048, 3072 or 4096')
    .default('2048')
    .transform((bits) => (bits === '2048' ? 2048 : bits === '3072' ? 3072 : 4096)),
  curve: wrappingCurveSchema.optional(),
};

/** A pair of the curve that was asked for, or else of RSA. */
export const keyWish = ({
  bits,
  curve,
}: {
  readonly bits: 2048 | 3072 | 4096;
  readonly curve?: WrappingCurve | undefined;
}) => planOfKeyKind(curve ?? bits);

/** How a Vault is named and reached. */
export const vaultShape = {
  name: name.optional(),
  address: z.array(z.string()).default([]),
  caFile: z.string().min(1, 'needs the path of a file').optional(),
  pinCertificate: z
    .string()
    .transform((text) => text.replaceAll(':', '').toLowerCase())
    .pipe(z.string().regex(/^[0-9a-f]{64}$/u, 'needs the SHA-256 of the certificate: 64 hex digits'))
    .optional(),
};

export const splitShape = {
  shares: count('a number of shares').default(5),
  threshold: count('a number of shares').default(3),
};

/** Reads a command's options by their schema. What was given is never repeated: it may be a secret in the wrong place. */
export function readOptions<Shape extends z.ZodRawShape>(
  shape: Shape,
  command: Command,
): Read<z.output<z.ZodObject<Shape>>> {
  const parsed = z.object(shape).safeParse(command.opts());
  if (parsed.success) return success(parsed.data);
  const [issue] = parsed.error.issues;
  const option = String(issue?.path[0] ?? '').replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
  return failure(
    'App_BadRequest',
    `--${option} ${issue?.message ?? 'is not as it should be'}.`,
    `See custodian ${commandPath(command)} --help.`,
  );
}

/** 'vault init' of the nested command. */
export function commandPath(command: Command): string {
  const names: string[] = [];
  let current = command;
  // The outermost command is the program itself.
  while (current.parent !== null) {
    names.unshift(current.name());
    current = current.parent;
  }
  return names.join(' ');
}

/** An option that may be given more than once. */
export const repeatable = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'answer with one JSON document on stdout; progress stays on stderr')
    .option('--data-dir <folder>', 'where journals and settings are kept (default: $XDG_DATA_HOME/key-custodian)');
}

export function addRunOptions(command: Command): Command {
  return addCommonOptions(command)
    .option('--by <name>', 'who acts, for the journal (default: the operator of the settings, or the user)')
    .option('--resume <run>', 'continue a run that was interrupted or has failed')
    .option('--pin-fd <n>', 'read user PINs from this open file descriptor, one a line')
    .option('--consent-to-last-try', 'send the PIN even when one try is left and a wrong one locks the token');
}

export function addSoPinOptions(command: Command): Command {
  return command
    .option('--so-pin-fd <n>', 'read the SO-PIN from this open file descriptor')
    .option('--confirm <name>', 'the typed name of what is erased, for scripts');
}

export function addShareOptions(command: Command): Command {
  return command.option('--share-fd <n>', 'read typed shares from this open file descriptor, one a line');
}

export function addDkekOptions(command: Command): Command {
  return command.option(
    '--dkek-fd <n>',
    'read passwords of DKEK shares and pieces of them from this open file descriptor, one a line',
  );
}

export function addTokenOptions(command: Command): Command {
  return command
    .option('--module <path>', 'PKCS#11 library (default: SoftHSM); kept in the settings once it has worked')
    .option('--serial <serial>', 'the token, by its serial number');
}

export function addKeyOptions(command: Command): Command {
  return command
    .option('--key-label <label>', 'label of the wrapping key pair (default: bank-vaults)')
    .option('--bits <n>', 'RSA modulus: 2048, 3072 or 4096 (default: 2048)')
    .addOption(curveOption());
}

export const curveOption = (): Option =>
  new Option(
    '--curve <name>',
    'a key of a curve instead of RSA: P-256, P-384 or P-521. Values are kept under it by ECDH; bank-vaults cannot read them',
  );

export function addVaultOptions(command: Command): Command {
  return command
    .option('--name <name>', 'the Vault’s name in this program')
    .addOption(
      new Option('--address <url>', 'https://host:port of a node; repeat for the nodes of one cluster').argParser(
        repeatable,
      ),
    )
    .option('--ca-file <path>', 'CA certificate (PEM) that the server’s certificate must lead to')
    .option('--pin-certificate <sha256>', 'SHA-256 of the server’s own certificate, compared by a person');
}
