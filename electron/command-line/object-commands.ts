import type { Command } from 'commander';
import { z } from 'zod';
import type { Core } from '../core/core.ts';
import type { ObjectDeletePlan } from '../workflows/device-plans.ts';
import type { TokenObject } from '../workflows/device-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { PromptPort } from '../workflows/ports.ts';
import { publicKeyForms } from '../workflows/public-key-forms.ts';
import { lossesOf, useOf } from '../workflows/token-losses.ts';
import { secretPurpose } from '../sealing/schema.ts';
import {
  addCareOptions,
  addConfirmOption,
  addTokenChoice,
  carriesOut,
  chosenToken,
  commandGroup,
  listChosenToken,
  referenceOf,
  tokenChoiceShape,
  visibleObjects,
} from './care-command.ts';
import type { TokenWish } from './care-command.ts';
import type { ChosenToken } from './chosen-token.ts';
import { addCommonOptions, readOptions, runShape } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import { openSecretLines } from './secret-lines.ts';
import { withSession } from './session.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';
import { createTerminalPrompt } from './terminal-prompt.ts';

/** How one object of a token is named. */
export const objectShape = {
  objectLabel: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').optional(),
  id: z
    .string()
    .regex(/^(?:[0-9A-Fa-f]{2}){1,128}$/u, 'needs hexadecimal digits')
    .transform((hex) => hex.toLowerCase())
    .optional(),
};

export function addObjectOptions(command: Command): Command {
  return command
    .option('--object-label <label>', 'label of the object')
    .option('--id <hex>', 'id (CKA_ID) of the object, in hexadecimal digits');
}

const listShape = {
  ...tokenChoiceShape,
  pinFd: runShape.pinFd,
  consentToLastTry: runShape.consentToLastTry,
  logIn: z.boolean().default(false),
};

/** The user's login outside a run, to see what a token shows nobody else. Asked once: this only reads. */
async function logInToRead(core: Core, prompt: PromptPort, { store, token }: ChosenToken): Promise<Result<unknown>> {
  const recipient = await core.tokens.sealingPublicKey(store.id);
  if (!recipient.ok) return recipient;
  const answer = await prompt.askPin({
    runId: '',
    rehearsal: store.rehearsal,
    act: 'Log in to list private objects',
    tokenLabel: token.label,
    tokenSerial: token.serial,
    role: 'user',
    isNew: false,
    minimumLength: token.pinLengthMinimum,
    maximumLength: token.pinLengthMaximum,
    pinState: token.userPinState,
    problem: '',
    recipient: recipient.value,
    purpose: secretPurpose.pin(token.serial),
  });
  if (!answer.ok) return answer;
  const reference = { storeId: store.id, serial: token.serial };
  return core.tokens.login(reference, answer.value.sealed, answer.value.consentToLastTry);
}

const kindText = ({ kind, bits, curve }: TokenObject): string =>
  [kind, curve === '' ? (bits === 0 ? '' : String(bits)) : curve].filter((part) => part !== '').join(' ');

async function listObjects(session: Session, prompt: PromptPort | undefined, wish: TokenWish): Promise<CommandOutcome> {
  const { core } = session;
  const read = await listChosenToken(core, wish, (chosen) =>
    prompt === undefined ? Promise.resolve(success({})) : logInToRead(core, prompt, chosen),
  );
  if (!read.ok) return failed(read.error);
  const { objects, freePublicMemory, totalPublicMemory } = read.value.listing;
  const { serial, label } = read.value.chosen.token;
  const used = objects.map((object) => ({ ...object, usedFor: useOf(object, serial, core.vaults()) }));
  const value = { serial, label, loggedIn: prompt !== undefined, freePublicMemory, totalPublicMemory, objects: used };
  if (used.length === 0) return done(value, 'There is nothing on this token that is seen without the PIN.');
  const rows = used.map((object) => [
    object.objectClass,
    object.label,
    object.id,
    kindText(object),
    object.size === 0 ? '' : String(object.size),
    object.sha256.slice(0, 16),
    object.usedFor,
  ]);
  const lines = tableLines(['CLASS', 'LABEL', 'ID', 'KIND', 'BYTES', 'SHA-256', 'USED FOR'], rows, session.style);
  const memory = freePublicMemory < 0 ? [] : ['', `${String(freePublicMemory)} bytes are free.`];
  return done(value, [...lines, ...memory].join('\n'));
}

function addList(group: Command, registry: Registry): void {
  const list = group
    .command('list')
    .description('list what lies on a token: class, label, id, kind, size, hash, and what uses it')
    .option('--log-in', 'with the PIN, to see private objects too')
    .option('--pin-fd <n>', 'read the PIN from this open file descriptor')
    .option('--consent-to-last-try', 'send the PIN even when one try is left');
  addCommonOptions(addTokenChoice(list)).action(async () => {
    const options = readOptions(listShape, list);
    if (!options.ok) {
      registry.settle(misused(options.error));
      return;
    }
    const wish = options.value;
    let prompt: PromptPort | undefined;
    registry.settle(
      await withSession(
        {
          locations: registry.locations,
          dataDirectory: wish.dataDir,
          by: undefined,
          makePrompt: ({ terminal, style, progress }) => {
            const made = createTerminalPrompt({
              terminal,
              style,
              pinLines: wish.pinFd === undefined ? undefined : openSecretLines(wish.pinFd),
              soPinLines: undefined,
              shareLines: undefined,
              dkekLines: undefined,
              consentToLastTry: wish.consentToLastTry,
              pause: progress.pause,
              resume: progress.resume,
            });
            if (wish.logIn || wish.pinFd !== undefined) prompt = made;
            return made;
          },
        },
        (session) => listObjects(session, prompt, wish),
      ),
    );
  });
}

const classesOf: Readonly<Record<ObjectDeletePlan['object']['objectClass'], readonly TokenObject['objectClass'][]>> = {
  'key-pair': ['public-key', 'private-key'],
  'secret-key': ['secret-key'],
  certificate: ['certificate'],
  data: ['data'],
};

/**
 * The plan's object: what is seen of it on the token, or what the options say where only a login would show it.
 * Several that could be meant are never chosen from.
 */
export function objectOfPlan(
  objects: readonly TokenObject[],
  wish: {
    readonly objectClass: ObjectDeletePlan['object']['objectClass'];
    readonly objectLabel?: string | undefined;
    readonly id?: string | undefined;
    readonly sha256?: string | undefined;
  },
): Result<{ readonly object: ObjectDeletePlan['object']; readonly seen: readonly TokenObject[] }> {
  const { objectClass, objectLabel, id, sha256 } = wish;
  if (objectLabel === undefined && id === undefined && sha256 === undefined) {
    return failure(
      'App_BadRequest',
      'No object is named.',
      'Name one with --object-label, --id or --sha256; custodian object list shows them.',
    );
  }
  const seen = objects.filter(
    (object) =>
      classesOf[objectClass].includes(object.objectClass) &&
      (objectLabel === undefined || object.label === objectLabel) &&
      (id === undefined || object.id === id) &&
      (sha256 === undefined || object.sha256.startsWith(sha256)),
  );
  const names = new Set(seen.map((object) => `${object.label} ${object.id} ${object.sha256}`));
  const [first] = seen;
  if (first === undefined) {
    return objectLabel === undefined && id === undefined
      ? failure(
          'Token_ObjectMissing',
          'No object with that hash is seen.',
          'See what there is with: custodian object list.',
        )
      : success({ object: { objectClass, label: objectLabel ?? '', id: id ?? '', sha256: '' }, seen: [] });
  }
  // The bytes of doubled data objects may be the same: then either is as good.
  if (names.size > 1) {
    return failure(
      'App_BadRequest',
      `${String(names.size)} objects could be meant.`,
      'Name one by --id or --sha256; custodian object list shows them.',
      { candidates: [...names].join(' | ').slice(0, 1000) },
    );
  }
  const { label } = first;
  return success({ object: { objectClass, label, id: first.id, sha256: first.sha256 }, seen });
}

const hashPrefix = z
  .string()
  .regex(/^[0-9A-Fa-f]{8,64}$/u, 'needs at least 8 hexadecimal digits')
  .transform((hex) => hex.toLowerCase())
  .optional();

/** Gives a command that deletes one object its options and its action. */
export function deletesObject(
  command: Command,
  registry: Registry,
  fixedClass?: ObjectDeletePlan['object']['objectClass'],
): void {
  const withHash = addObjectOptions(command).option(
    '--sha256 <hex>',
    'which one of several, by the beginning of its hash',
  );
  const withClass =
    fixedClass === undefined
      ? withHash.option('--class <class>', 'key-pair, secret-key, certificate or data')
      : withHash;
  carriesOut({
    command: addConfirmOption(addCareOptions(withClass)),
    registry,
    shape: {
      ...objectShape,
      sha256: hashPrefix,
      class: z
        .enum(['key-pair', 'secret-key', 'certificate', 'data'], 'takes key-pair, secret-key, certificate or data')
        .optional(),
    },
    workflow: 'object-delete',
    plan: async ({ core, chosen, common }, wish) => {
      const objectClass = fixedClass ?? wish.class;
      if (objectClass === undefined)
        return failure('App_BadRequest', '--class is missing.', 'Give key-pair, secret-key, certificate or data.');
      const objects = await visibleObjects(core, chosen);
      if (!objects.ok) return objects;
      const meant = objectOfPlan(objects.value, { ...wish, objectClass });
      if (!meant.ok) return meant;
      const { object, seen } = meant.value;
      return success({
        workflow: 'object-delete',
        ...common,
        object,
        losses: [
          ...lossesOf(seen.slice(0, objectClass === 'key-pair' ? 2 : 1), chosen.token.serial, core.vaults(), 50),
        ],
      });
    },
    summary: () => 'It is gone from the token.',
  });
}

const exportShape = {
  ...tokenChoiceShape,
  ...objectShape,
  form: z.enum(['pem', 'ssh', 'jwk'], 'takes pem, ssh or jwk').default('pem'),
};

type ExportWish = z.output<z.ZodObject<typeof exportShape>>;

async function exportKey({ core }: Session, wish: ExportWish): Promise<CommandOutcome> {
  const chosen = await chosenToken(core, wish);
  if (!chosen.ok) return failed(chosen.error);
  const objects = await visibleObjects(core, chosen.value);
  if (!objects.ok) return failed(objects.error);
  const meant = objectOfPlan(objects.value, { ...wish, objectClass: 'key-pair' });
  if (!meant.ok) return meant.error.code === 'App_BadRequest' ? misused(meant.error) : failed(meant.error);
  const { label, id } = meant.value.object;
  const exported = await core.objects.exportPublicKey(referenceOf(chosen.value), { label, id });
  if (!exported.ok) return failed(exported.error);
  const { publicKeySpki, publicKeySha256 } = exported.value;
  const forms = publicKeyForms(Buffer.from(publicKeySpki, 'base64'), label === '' ? id : label);
  if (!forms.ok) return failed(forms.error);
  const { kind, pem, openSsh, jwk } = forms.value;
  const form = { pem, ssh: openSsh, jwk }[wish.form];
  const value = { kind, publicKeySha256, publicKeySpki, pem, openSsh, jwk };
  if (form.available) return done(value, form.text.trimEnd());
  return failed(failure('Token_KeyUnsuitable', form.why, 'Export it as PEM: --form pem.', { kind }).error, { value });
}

function addExport(group: Command, registry: Registry): void {
  const command = addObjectOptions(
    group
      .command('export-key')
      .description('print the public half of a key pair: PEM, OpenSSH line or JWK')
      .option('--form <form>', 'pem, ssh or jwk (default: pem)'),
  );
  addCommonOptions(addTokenChoice(command));
  answersQuestion(command, registry, exportShape, exportKey);
}

/** `custodian object list`, `object delete` and `object export-key`. */
export function addObjectCommands(program: Command, registry: Registry): void {
  const group = commandGroup(program, 'object', 'see, delete and export what lies on a token');
  addList(group, registry);
  deletesObject(
    group.command('delete').description('delete one key pair, secret key, certificate or data object'),
    registry,
  );
  addExport(group, registry);
}
