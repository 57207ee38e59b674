/** config.json, the command line and Vault's environment variables read into one configuration. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';
import { fieldNames, tokenSchema, transitSchema, type KmsConfiguration } from './configuration.ts';
import { readJson } from './read-json.ts';

type Read<Value> = Result<Value, 'Kms_ConfigurationInvalid'>;

/** Where kleidi's deployments put the file; its program reads the first, its manifests mount the second. */
export const kleidiConfigurationFiles = ['/opt/kleidi/config.json', '/opt/softhsm/config.json'] as const;
function withKnownNames(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [fieldNames.get(name.toLowerCase()) ?? name, value]),
  );
}

interface FileText {
  readonly path: string;
  readonly text: string;
  /** Others than its owner may read it. */
  readonly isOpenToOthers: boolean;
}

function readFile(path: string): FileText | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const isOpenToOthers = (fstatSync(descriptor).mode & 0o077) !== 0;
      return { path, text: readFileSync(descriptor, 'utf8'), isOpenToOthers };
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return undefined;
    throw cause;
  }
}

const wrong = (path: string, message: string): Read<never> =>
  failure('Kms_ConfigurationInvalid', message, 'Correct the file. Its fields are described in docs/kms-provider.md.', {
    path,
  });

/** What the command line says; it goes before what the file says. */
export interface ConfigurationWish {
  readonly file: string | undefined;
  readonly listen: string | undefined;
  readonly provider: string | undefined;
}

/** Vault's own names for what kleidi's file has no field for; the file goes before them. None of them is a secret. */
const fieldsOfEnvironment = {
  VAULT_CACERT: 'caFile',
  VAULT_CLIENT_CERT: 'clientCertificateFile',
  VAULT_CLIENT_KEY: 'clientKeyFile',
  VAULT_TLS_SERVER_NAME: 'tlsServerName',
} as const;
export type Environment = Readonly<Record<string, string | undefined>>;

function readEnvironment(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fieldsOfEnvironment).flatMap(([name, field]) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[field, value]];
    }),
  );
}

export interface ReadConfiguration {
  readonly configuration: KmsConfiguration;
  readonly path: string;
  readonly warnings: readonly string[];
}

/** Reads the named file, or the first of kleidi's that is there. No value of the file is in the failure's words. */
export function readConfiguration(wish: ConfigurationWish, environment: Environment): Read<ReadConfiguration> {
  const candidates = wish.file === undefined ? kleidiConfigurationFiles : [wish.file];
  const [file] = candidates.flatMap((path) => readFile(path) ?? []);
  if (file === undefined) {
    return failure(
      'Kms_ConfigurationInvalid',
      `No configuration can be read at ${candidates.join(' or ')}.`,
      'Name one with --config FILE. The recipe “KMS v2 plugin” writes one.',
    );
  }
  const parsed = readJson(file.text);
  const object = z.record(z.string(), z.unknown()).safeParse(parsed);
  if (!object.success) return wrong(file.path, `${file.path} is not a JSON object.`);
  const fields = {
    ...withKnownNames(object.data),
    ...(wish.listen === undefined ? {} : { listen: wish.listen }),
    ...(wish.provider === undefined ? {} : { provider: wish.provider }),
  };
  return isForTransit(fields)
    ? readTransit({ ...readEnvironment(environment), ...fields }, file, environment)
    : readToken(fields, file);
}

/** kleidi is told by a flag; without one, what is there says which one is meant. */
function isForTransit(fields: Readonly<Record<string, unknown>>): boolean {
  return fields['provider'] === 'hvault' || (fields['provider'] === undefined && 'transitkey' in fields);
}

function firstProblem(file: FileText, error: z.ZodError): Read<never> {
  const [issue] = error.issues;
  return wrong(file.path, `${file.path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim() + '.');
}

function readToken(fields: object, file: FileText): Read<ReadConfiguration> {
  const read = tokenSchema.safeParse(fields);
  if (!read.success) return firstProblem(file, read.error);
  const warnings =
    read.data.pin !== undefined && file.isOpenToOthers
      ? [`${file.path} holds the PIN and others may read it. Make it 0600, or name a pinFile of mode 0400.`]
      : [];
  return success({ configuration: { kind: 'token', ...read.data }, path: file.path, warnings });
}

/** Names that only a cluster's own DNS knows (Kubernetes, “DNS for Services and Pods”). */
const clusterName = /\.svc(?:\.|$)|\.cluster\.local$/u;

/** As Go reads a truth. */
const isTrue = /^(?:1|t|true)$/iu;

function readTransit(fields: object, file: FileText, environment: Environment): Read<ReadConfiguration> {
  const read = transitSchema.safeParse(fields);
  if (!read.success) return firstProblem(file, read.error);
  const { hostname } = new URL(read.data.address);
  const warnings: string[] = [];
  if (clusterName.test(hostname))
    warnings.push(
      `Vault at ${hostname} seems to run in a cluster. If it is the one that this provider serves, neither can start without the other once all is down: docs/kms-provider.md, “Cold start”.`,
    );
  if (isTrue.test(environment['VAULT_SKIP_VERIFY'] ?? ''))
    warnings.push('VAULT_SKIP_VERIFY is not followed: seeds go to no server whose certificate does not hold.');
  return success({ configuration: { kind: 'transit', ...read.data }, path: file.path, warnings });
}
