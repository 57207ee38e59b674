/** How the push engine asks kubectl: objects in through stdin, objects out as JSON, the server's words as they are. */
import { failure, success, type ClusterFailureCode, type Result } from '../../electron/workflows/failures.ts';
import {
  manifestSchema,
  type Allowance,
  type ClusterPin,
  type Manifest,
} from '../../electron/workflows/cluster-ports.ts';
import type { Kubectl, KubectlOutput } from '../kubectl/kubectl.ts';
import { describeRefusal } from '../kubectl/refusals.ts';
import { isList, textAt } from './objects.ts';

export interface ClusterCall {
  readonly kubectl: Kubectl;
  readonly pin: ClusterPin;
  readonly allowed: readonly Allowance[];
}

export type ClusterResult<Value> = Result<Value, ClusterFailureCode>;

/** For one call with everything in it. kubectl itself asks no more than 50 times a second. */
const deadlineMilliseconds = 60_000;

/** One JSON document a line: kubectl leaves the checking of a List's items to its own, older schema. */
export function toStream(objects: readonly Manifest[]): Buffer {
  return Buffer.from(objects.map((manifest) => JSON.stringify(manifest)).join('\n'), 'utf8');
}

/**
 * @param input wiped before this returns
 * @returns Cluster_Unreachable, Cluster_CertificateInvalid, Cluster_Unauthorized where no object was reached, and the door's own
 */
export async function runOn(
  call: ClusterCall,
  argumentList: readonly string[],
  input?: Buffer,
  onlyReads = false,
): Promise<ClusterResult<KubectlOutput>> {
  try {
    const ran = await call.kubectl.run({
      pin: call.pin,
      allowed: call.allowed,
      argumentList,
      deadlineMilliseconds,
      onlyReads,
      ...(input === undefined ? {} : { input }),
    });
    if (!ran.ok || ran.value.exitCode === 0) return ran;
    return findTransportFailure(ran.value.errors, call.pin) ?? ran;
  } finally {
    input?.fill(0);
  }
}

const ofTheWhole: readonly ClusterFailureCode[] = [
  'Cluster_Unreachable',
  'Cluster_TimedOut',
  'Cluster_CertificateInvalid',
  'Cluster_Unauthorized',
  'Cluster_ContextInvalid',
  'Cluster_KubeconfigInvalid',
];

/** Where kubectl did not come as far as the objects. */
function findTransportFailure(errors: string, pin: ClusterPin): ClusterResult<never> | undefined {
  // What the server says of an object, a webhook's own connection among it, is an answer.
  if (/^Error from server \((?!Unauthorized|Timeout|ServiceUnavailable)/mu.test(errors)) return undefined;
  if (/no matches for kind|failed to create typed patch object|Apply failed with/u.test(errors)) return undefined;
  const error = describeRefusal(errors, pin);
  return ofTheWhole.includes(error.code) ? { ok: false, error } : undefined;
}

/** As `runOn`, where nothing is changed. */
export async function readOn(
  call: ClusterCall,
  argumentList: readonly string[],
  input?: Buffer,
): Promise<ClusterResult<KubectlOutput>> {
  return runOn(call, argumentList, input, true);
}

/**
 * Objects of `-o json`: one, a List, none, or several one after the other.
 * @param output wiped
 */
export function readObjects(output: Buffer): ClusterResult<readonly Manifest[]> {
  const text = output.toString('utf8');
  output.fill(0);
  const objects: Manifest[] = [];
  for (const part of text.split(/(?<=^\}\n)(?=\{)/mu)) {
    if (part.trim() === '') continue;
    const parsed = parseObject(part);
    if (parsed === undefined) {
      return failure(
        'Cluster_UnexpectedReply',
        'kubectl answered something that is not JSON.',
        'Try again; if it stays so, check which kubectl is used.',
      );
    }
    const items = parsed['items'];
    if (textAt(parsed, 'kind').endsWith('List') && isList(items)) {
      objects.push(...items.filter((item) => manifestSchema.safeParse(item).success).map((item) => item as Manifest));
    } else objects.push(parsed);
  }
  return success(objects);
}

function parseObject(text: string): Manifest | undefined {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

export interface ServerWords {
  /** One per object that failed, in the order of the objects; kinds that are not known come first. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const beginsEntry =
  /^(Error from server|error: |Warning: |resource mapping not found|unable to recognize|Apply failed with |Operation cannot be fulfilled|failed to create typed|Internal error )/u;

/** Takes kubectl's stderr apart: one entry per error, with the lines that belong to it. */
export function splitWords(text: string): ServerWords {
  const entries: string[] = [];
  // Several kinds that are not known are told as one error: [resource mapping …, resource mapping …]
  const apart = text
    .replaceAll(/^\[(?=resource mapping not found)/gmu, '')
    .replaceAll(/, (?=resource mapping not found for name: )/gu, '\n')
    .replaceAll(/^(ensure CRDs are installed first)\]$/gmu, '$1');
  for (const line of apart.split('\n')) {
    if (beginsEntry.test(line) || entries.length === 0) entries.push(line);
    else entries.push(`${entries.pop() ?? ''}\n${line}`);
  }
  const said = entries.map((entry) => entry.trim()).filter((entry) => entry !== '');
  return {
    errors: said.filter((entry) => !entry.startsWith('Warning: ')).map(withoutAdvice),
    warnings: said.filter((entry) => entry.startsWith('Warning: ')).map((entry) => entry.slice('Warning: '.length)),
  };
}

/** kubectl's own advice on conflicts tells of its options, which nobody types here. */
function withoutAdvice(entry: string): string {
  return entry
    .replace(/\nPlease review the fields above--[\s\S]*$/u, '')
    .replace(/^error: /u, '')
    .trim();
}
