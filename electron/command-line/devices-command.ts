import type { Command } from 'commander';
import { failure } from '../workflows/failures.ts';
import type { Failure } from '../workflows/failures.ts';
import { pgpWordsOfHex } from '../workflows/pgp-words.ts';
import type { DataObjectDescription, KeyPairDescription, TokenDescription, TokenStore } from '../workflows/ports.ts';
import { storeOf } from './chosen-token.ts';
import { addCommonOptions, tokenShape } from './options.ts';
import { done, failed } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { printable } from './printable.ts';
import { failureText } from './print-outcome.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import type { Style } from './style.ts';
import { tableLines } from './table.ts';
import { wordLines } from './transcript-text.ts';

interface Token {
  readonly description: TokenDescription;
  readonly keyPairs: readonly KeyPairDescription[];
  readonly dataObjects: readonly DataObjectDescription[];
  readonly problems: readonly Failure[];
}

interface Store {
  readonly store: TokenStore;
  readonly tokens: readonly Token[];
  readonly problem: Failure | undefined;
}

const pinWords: Readonly<Record<TokenDescription['userPinState'], string>> = {
  ok: 'ok',
  'count-low': 'a wrong one was given',
  'final-try': 'ONE TRY LEFT',
  locked: 'LOCKED',
};

/** Labels of more than one key: bank-vaults takes two for none and makes yet another. */
function doubledLabels(keyPairs: readonly KeyPairDescription[]): readonly Failure[] {
  const counts = new Map<string, number>();
  for (const pair of keyPairs) if (pair.hasPublic) counts.set(pair.label, (counts.get(pair.label) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(
      ([label, count]) =>
        failure(
          'Token_KeyLabelDoubled',
          `${String(count)} key pairs have the label “${label}”.`,
          'bank-vaults takes this for no key at all and makes another on every start. Give one of them another label, or set up a new token.',
          { label },
        ).error,
    );
}

async function inspect(session: Session, store: TokenStore, description: TokenDescription): Promise<Token> {
  if (!description.initialized) return { description, keyPairs: [], dataObjects: [], problems: [] };
  const objects = await session.core.tokens.listObjects({ storeId: store.id, serial: description.serial });
  if (!objects.ok) return { description, keyPairs: [], dataObjects: [], problems: [objects.error] };
  return { description, ...objects.value, problems: doubledLabels(objects.value.keyPairs) };
}

function pinText(token: TokenDescription): string {
  if (!token.initialized) return '';
  return token.userPinSet ? pinWords[token.userPinState] : 'not set';
}

/** 'RSA 2048', 'EC P-256' */
const kindOfPair = ({ keyType, modulusBits, curve = '' }: KeyPairDescription): string =>
  `${keyType} ${curve === '' ? String(modulusBits) : curve}`;

function keyLines(token: Token, style: Style): readonly string[] {
  const { description } = token;
  return token.keyPairs
    .filter((pair) => pair.hasPublic)
    .flatMap((pair) => [
      '',
      `  ${style.bold(printable(`Key “${pair.label}”`))} on ${printable(description.label)}: ${kindOfPair(pair)}`,
      `    SHA-256 ${pair.publicKeySha256}`,
      ...wordLines(pgpWordsOfHex(pair.publicKeySha256)).map((line) => `      ${line}`),
    ]);
}

function storeLines({ store, tokens, problem }: Store, style: Style): readonly string[] {
  const heading = `${style.bold(printable(store.name))}  ${style.dim(printable(store.modulePath))}${store.rehearsal ? `  ${style.yellow('REHEARSAL')}` : ''}`;
  if (problem !== undefined) return [heading, failureText(problem, style)];
  if (tokens.length === 0) return [heading, '  no token'];
  const rows = tokens.map(({ description, dataObjects }) =>
    description.initialized
      ? [
          description.label,
          description.serial,
          String(description.slotId),
          pinText(description),
          pinWords[description.soPinState],
          dataObjects.length === 0 ? '–' : dataObjects.map((object) => object.label).join(' '),
        ]
      : ['(free)', '–', String(description.slotId), '–', '–', '–'],
  );
  return [
    heading,
    ...tableLines(['TOKEN', 'SERIAL', 'SLOT', 'PIN', 'SO-PIN', 'VALUES'], rows, style).map((line) => `  ${line}`),
    ...tokens
      .filter(({ description: { initialized, label, reportedLabel } }) => initialized && label !== reportedLabel)
      .map(({ description }) =>
        printable(`  “${description.label}” is “${description.reportedLabel}” to bank-vaults (tokenLabel).`),
      ),
    ...tokens.flatMap((token) => keyLines(token, style)),
    ...tokens.flatMap((token) => token.problems.map((one) => `\n${failureText(one, style)}`)),
  ];
}

function storeValue({ store, tokens, problem }: Store): unknown {
  return {
    id: store.id,
    name: store.name,
    modulePath: store.modulePath,
    rehearsal: store.rehearsal,
    problem: problem ?? null,
    tokens: tokens.map(({ description, keyPairs, dataObjects, problems }) => ({
      label: description.label,
      reportedLabel: description.reportedLabel,
      serial: description.serial,
      slotId: description.slotId,
      initialized: description.initialized,
      manufacturer: description.manufacturer,
      model: description.model,
      firmwareVersion: description.firmwareVersion,
      userPinSet: description.userPinSet,
      userPinState: description.userPinState,
      soPinState: description.soPinState,
      writeProtected: description.writeProtected,
      keys: keyPairs
        .filter((pair) => pair.hasPublic)
        .map((pair) => ({
          label: pair.label,
          id: pair.id,
          keyType: pair.keyType,
          modulusBits: pair.modulusBits,
          curve: pair.curve ?? '',
          publicKeySha256: pair.publicKeySha256,
          publicKeyWords: pgpWordsOfHex(pair.publicKeySha256),
        })),
      dataObjects: dataObjects.map((object) => ({ label: object.label, size: object.size })),
      problems,
    })),
  };
}

async function listDevices(session: Session, modulePath: string | undefined): Promise<CommandOutcome> {
  const wanted = await storeOf(session.core, modulePath);
  if (!wanted.ok) return failed(wanted.error);
  session.progress.begin('Looking for tokens');
  const stores: Store[] = [];
  for (const { store, result } of await session.core.tokens.listTokens()) {
    if (wanted.value !== undefined && store.id !== wanted.value.id) continue;
    const tokens = result.ok ? await Promise.all(result.value.map((token) => inspect(session, store, token))) : [];
    stores.push({ store, tokens, problem: result.ok ? undefined : result.error });
  }
  session.progress.end();
  const value = { stores: stores.map(storeValue) };
  if (stores.length === 0) {
    return failed(
      failure(
        'Token_NotFound',
        'No PKCS#11 library is known on this machine.',
        'Install SoftHSM (Debian: softhsm2), or name a library with --module PATH.',
      ).error,
      { value },
    );
  }
  const text = stores.map((store) => storeLines(store, session.style).join('\n')).join('\n\n');
  const problem = stores.find((store) => store.problem !== undefined)?.problem;
  return problem !== undefined && stores.every((store) => store.problem !== undefined)
    ? failed(problem, { value })
    : done(value, text);
}

/** `custodian devices`. */
export function addDevicesCommand(program: Command, registry: Registry): void {
  const devices = program
    .command('devices')
    .description('list PKCS#11 libraries, tokens, PIN states and public keys')
    .option('--module <path>', 'only this PKCS#11 library; kept in the settings once it has worked');
  addCommonOptions(devices);
  answersQuestion(devices, registry, { module: tokenShape.module }, (session, { module }) =>
    listDevices(session, module),
  );
}
