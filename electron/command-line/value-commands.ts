import type { Command } from 'commander';
import { z } from 'zod';
import type { TokenObject } from '../workflows/device-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Failure, FailureCode, Result } from '../workflows/failures.ts';
import { valuesAmong } from '../workflows/values.ts';
import {
  addCareOptions,
  addConfirmOption,
  addTokenChoice,
  carriesOut,
  commandGroup,
  listChosenToken,
  tokenChoiceShape,
  visibleObjects,
} from './care-command.ts';
import type { CareParts } from './care-command.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { addClusterOptions, secretLabelOption, toSecretShape } from './cluster-options.ts';
import { addCommonOptions, curveOption, keyShape, keyWish, repeatable } from './options.ts';
import { done, failed } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';

const shareCount = z
  .string()
  .regex(/^[1-9]\d{0,2}$/u, 'needs a number of shares')
  .transform(Number)
  .optional();

const valueShape = {
  keyLabel: keyShape.keyLabel,
  value: z.array(z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters')).default([]),
  shares: shareCount,
};

function addValueOptions(command: Command): Command {
  return command
    .option('--key-label <label>', 'label of the key that the values are encrypted under (default: bank-vaults)')
    .option('--value <label>', 'this value; may be repeated (default: all of bank-vaults’ that are seen)', repeatable);
}

const addSharesOption = (command: Command): Command =>
  command.option('--shares <n>', 'how many key shares there should be, so that missing ones are noticed');

const dataLabels = (objects: readonly TokenObject[]): readonly string[] =>
  objects.filter(({ objectClass }) => objectClass === 'data').map(({ label }) => label);

/** The values that a command is about. */
async function valuesOf(
  { core, chosen }: CareParts,
  wish: { readonly value: readonly string[]; readonly shares?: number | undefined },
): Promise<Result<{ readonly labels: string[]; readonly doubled: string[] }>> {
  const objects = await visibleObjects(core, chosen);
  if (!objects.ok) return objects;
  const found = dataLabels(objects.value);
  const seen = valuesAmong(found, wish.shares);
  const labels = wish.value.length === 0 ? seen.labels : wish.value;
  const isDoubled = (label: string): boolean => found.indexOf(label) !== found.lastIndexOf(label);
  if (labels.length > 0) return success({ labels: [...labels], doubled: labels.filter(isDoubled) });
  return failure(
    'Token_ObjectMissing',
    'There is no value of bank-vaults on this token that another process could see.',
    'bank-vaults’ mode hsm keeps its values on SoftHSM only as long as its own process runs. Where there should be some, name them with --value or say how many with --shares.',
  );
}

function listValues(objects: readonly TokenObject[]): readonly (TokenObject & { readonly state: string })[] {
  const data = objects.filter(({ objectClass }) => objectClass === 'data');
  return data.map((object) => {
    const isSingle = data.filter(({ label }) => label === object.label).length === 1;
    const isKept = object.attributes.includes('TOKEN');
    return { ...object, state: !isKept ? 'session-only' : isSingle ? 'ok' : 'doubled' };
  });
}

const listShape = { ...tokenChoiceShape, shares: shareCount };

async function list(session: Session, wish: z.output<z.ZodObject<typeof listShape>>): Promise<CommandOutcome> {
  const read = await listChosenToken(session.core, wish);
  if (!read.ok) return failed(read.error);
  const { chosen, listing } = read.value;
  const values = listValues(listing.objects);
  const found = values.map(({ label }) => label);
  const missing = valuesAmong(found, wish.shares).labels.filter((label) => !found.includes(label));
  const rows = [
    ...values.map(({ label, size, sha256, state }) => [label, String(size), sha256.slice(0, 16), state]),
    ...missing.map((label) => [label, '', '', 'missing']),
  ];
  const { serial, label } = chosen.token;
  const value = {
    serial,
    label,
    values: values.map((one) => ({ label: one.label, size: one.size, sha256: one.sha256, state: one.state })),
    missing,
  };
  if (rows.length === 0) return done(value, 'There is no data object on this token that is seen without the PIN.');
  return done(value, tableLines(['VALUE', 'BYTES', 'SHA-256', 'STATE'], rows, session.style).join('\n'));
}

function addList(group: Command, registry: Registry): void {
  const command = addSharesOption(
    group.command('list').description('list the values on a token, doubled and missing ones too; needs no PIN'),
  );
  addCommonOptions(addTokenChoice(command));
  answersQuestion(command, registry, listShape, list);
}

/** What a check left in its steps, as `runValue` answers it. */
const checkedSchema = z.object({
  run: z.object({
    steps: z.array(
      z.object({ evidence: z.object({ label: z.string().optional(), valueState: z.string().optional() }) }),
    ),
  }),
});

const codeOfState: Readonly<Record<string, FailureCode>> = {
  missing: 'Token_ObjectMissing',
  doubled: 'Token_ObjectDoubled',
  'session-only': 'Token_ObjectNotKept',
  'does-not-decrypt': 'Token_DecryptFailed',
};

/** A check that found something is a run that is done and a failure to a script. */
function judgeCheck(outcome: CommandOutcome): CommandOutcome {
  if (outcome.kind !== 'done') return outcome;
  const parsed = checkedSchema.safeParse(outcome.value);
  if (!parsed.success) return outcome;
  const wrong = parsed.data.run.steps.flatMap(({ evidence: { label, valueState } }) =>
    valueState === undefined || valueState === 'decrypts' ? [] : [{ label: label ?? '', valueState }],
  );
  const [first] = wrong;
  if (first === undefined) return outcome;
  const error: Failure = failure(
    codeOfState[first.valueState] ?? 'Token_GeneralError',
    `${String(wrong.length)} of the values ${wrong.length === 1 ? 'is' : 'are'} not as they should be.`,
    'Doubled ones: custodian value repair. Missing ones and those of another key cannot be made good from this token: look for another copy, or give the Vault new shares while enough of them are left.',
    Object.fromEntries(wrong.map(({ label, valueState }) => [label, valueState])),
  ).error;
  return failed(error, { value: outcome.value, text: outcome.text });
}

function addRepair(group: Command, registry: Registry, repairs: boolean): void {
  const command = repairs
    ? group
        .command('repair')
        .description('make doubled values single again, keeping one that decrypts; then check all of them')
    : group.command('check').description('check that every value is there for good, once, and decrypts');
  carriesOut({
    command: addCareOptions(addSharesOption(addValueOptions(command))),
    registry,
    shape: valueShape,
    workflow: 'values-repair',
    plan: async (parts, wish) => {
      const values = await valuesOf(parts, wish);
      if (!values.ok) return values;
      const { labels, doubled } = values.value;
      return success({
        workflow: 'values-repair',
        ...parts.common,
        keyLabel: wish.keyLabel,
        doubled: repairs ? doubled : [],
        labels,
      });
    },
    summary: () => 'Every value is on the token for good, once, and decrypts.',
    judge: judgeCheck,
  });
}

function addReadOut(group: Command, registry: Registry): void {
  const command = group
    .command('read-out')
    .description('show one value to one custodian on the terminal, who types it back')
    .option('--key-label <label>', 'label of the key that the value is encrypted under (default: bank-vaults)')
    .option('--value <label>', 'the value: vault-unseal-0, vault-root')
    .option('--custodian <name>', 'who it is shown to');
  carriesOut({
    command: addCareOptions(command),
    registry,
    shape: {
      keyLabel: keyShape.keyLabel,
      value: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').optional(),
      custodian: z.string().trim().min(1, 'needs a name').max(80, 'takes at most 80 characters').optional(),
    },
    workflow: 'value-read-out',
    plan: ({ common }, wish) =>
      Promise.resolve(
        wish.value === undefined || wish.custodian === undefined
          ? failure(
              'App_BadRequest',
              'The value and the custodian are needed.',
              'Give --value LABEL and --custodian NAME.',
            )
          : success({
              workflow: 'value-read-out',
              ...common,
              keyLabel: wish.keyLabel,
              valueLabel: wish.value,
              custodian: wish.custodian,
            }),
      ),
    summary: (facts) => `${String(facts['custodian'] ?? '')} has ${String(facts['label'] ?? '')}.`,
  });
}

const doubledValues = (labels: readonly string[]): Result<never> =>
  failure(
    'Token_ObjectDoubled',
    `Values are on the token more than once: ${labels.join(', ')}.`,
    'Repair them first: custodian value repair.',
  );

function addRewrap(group: Command, registry: Registry): void {
  const command = addValueOptions(
    group
      .command('rewrap')
      .description('encrypt the values under another key of the same token, which is made if need be'),
  )
    .option('--to-key-label <label>', 'label of the new key')
    .option('--bits <n>', 'RSA modulus of a new key: 2048, 3072 or 4096 (default: 2048)')
    .addOption(curveOption())
    .option('--remove-old-key', 'delete the old key pair at the end (asks for its label)');
  carriesOut({
    command: addConfirmOption(addCareOptions(command)),
    registry,
    shape: {
      ...valueShape,
      bits: keyShape.bits,
      curve: keyShape.curve,
      toKeyLabel: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').optional(),
      removeOldKey: z.boolean().default(false),
    },
    workflow: 'values-rewrap',
    plan: async (parts, wish) => {
      if (wish.toKeyLabel === undefined || wish.toKeyLabel === wish.keyLabel) {
        return failure(
          'App_BadRequest',
          'The new key needs a label that is not the old one’s.',
          'Give --to-key-label LABEL, and bank-vaults the same afterwards (--hsm-key-label).',
        );
      }
      const values = await valuesOf(parts, wish);
      if (!values.ok) return values;
      if (values.value.doubled.length > 0) return doubledValues(values.value.doubled);
      return success({
        workflow: 'values-rewrap',
        ...parts.common,
        fromKeyLabel: wish.keyLabel,
        toKeyLabel: wish.toKeyLabel,
        ...keyWish(wish),
        labels: values.value.labels,
        removeOldKey: wish.removeOldKey,
      });
    },
    summary: () =>
      'Every value is encrypted under the new key and was read back. Tell bank-vaults the new label (--hsm-key-label) before it is started again.',
  });
}

function addStore(group: Command, registry: Registry): void {
  const command = addValueOptions(
    group
      .command('store')
      .description('copy the values into a Secret of a cluster as they are, encrypted, and try each on the token'),
  )
    .option('--to-secret <namespace/name>', 'the Secret; what is in it already is never replaced')
    .option(...secretLabelOption, repeatable)
    .option('--vault-name <name>', 'whose values they are, for the record');
  carriesOut({
    command: addClusterOptions(addCareOptions(command)),
    registry,
    shape: {
      ...valueShape,
      ...toSecretShape,
      vaultName: z.string().max(80, 'takes at most 80 characters').default(''),
    },
    workflow: 'secret-store',
    plan: async (parts, wish) => {
      if (wish.toSecret === undefined) {
        return failure('App_BadRequest', 'The Secret is missing.', 'Give --to-secret NAMESPACE/NAME.');
      }
      const values = await valuesOf(parts, wish);
      if (!values.ok) return values;
      if (values.value.doubled.length > 0) return doubledValues(values.value.doubled);
      const cluster = await chooseCluster(parts.core, wish);
      if (!cluster.ok) return cluster;
      return success({
        workflow: 'secret-store',
        ...parts.common,
        cluster: cluster.value,
        secret: wish.toSecret,
        secretLabels: wish.secretLabel,
        keyLabel: wish.keyLabel,
        labels: values.value.labels,
        vaultName: wish.vaultName,
      });
    },
    summary: (facts) => `Every value is in the Secret ${String(facts['secret'] ?? '')} and decrypts on the token.`,
  });
}

/** `custodian value list`, `check`, `repair`, `read-out`, `rewrap` and `store`. */
export function addValueCommands(program: Command, registry: Registry): void {
  const group = commandGroup(program, 'value', 'bank-vaults’ values on a token: key shares and root token');
  addList(group, registry);
  addRepair(group, registry, false);
  addRepair(group, registry, true);
  addReadOut(group, registry);
  addRewrap(group, registry);
  addStore(group, registry);
}
