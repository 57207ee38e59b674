import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  channelNames,
  exposedNames,
  promptChannelNames,
  windowEventNames,
} from '../../electron/contract/channel-names.ts';
import { bridgeName, channels, windowEvents } from '../../electron/contract/channels.ts';
import { promptBridgeName, promptChannels } from '../../electron/contract/prompt.ts';

const suspicious = /pin|share|secret|token|key|passphrase|password|plain/iu;

/** Names that look like a secret and are none; each is here by decision. */
const harmless: ReadonlySet<string> = new Set([
  // lists of what is there, and names of it
  'tokens',
  'tokenSerial',
  'tokenStoreId',
  'tokenLabel',
  'token',
  'keyLabel',
  'wrappingKeys',
  // of a KMS plugin: which there are, each by its id’s hash
  'keys',
  'keyIdHash',
  // which Secret of a cluster holds shares: context, namespace and name
  'secret',
  // states and lengths of PINs
  'userPinSet',
  'userPinState',
  'soPinState',
  'pinState',
  'pinLengthMinimum',
  'pinLengthMaximum',
  'pinTriesLeft',
  'soPinTriesLeft',
  // eight bytes of a DKEK's SHA-256, made to be compared aloud
  'keyCheckValue',
  // how many shares there are
  'shares',
  // a recipe's form: names of Secrets, of their entries, of mounts and of labels, and counts; never what they hold
  'pinSecret',
  'pinKey',
  'soPinKey',
  'key',
  'keyId',
  'hmacKeyLabel',
  'generateKey',
  'secretShares',
  'secretThreshold',
  'storeRootToken',
  'tokenDirectory',
  // public halves
  'publicKeySha256',
  'publicKeyWords',
  'publicKeyArmored',
  'publicKey',
  'ephemeralPublicKey',
]);

/** Every field name in a JSON schema, with the schema of the field. */
function fieldsOf(schema: unknown): readonly { readonly name: string; readonly schema: unknown }[] {
  if (Array.isArray(schema)) return schema.flatMap(fieldsOf);
  if (typeof schema !== 'object' || schema === null) return [];
  const entries: readonly (readonly [string, unknown])[] = Object.entries(schema);
  return entries.flatMap(([key, value]) =>
    key === 'properties' && typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, field]) => [{ name, schema: field }, ...fieldsOf(field)])
      : fieldsOf(value),
  );
}

const jsonSchema = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { unrepresentable: 'any', io: 'output' });

const leaving = [
  ...Object.entries(channels).map(([name, { reply }]) => ({ name: `reply of ${name}`, schema: reply as z.ZodType })),
  ...Object.entries(windowEvents).map(([name, schema]) => ({ name: `event ${name}`, schema: schema as z.ZodType })),
];

describe('what the main window is sent', () => {
  it.each(leaving)('$name has no field for a PIN, a share, a secret, a token value or key material', ({ schema }) => {
    const found = fieldsOf(jsonSchema(schema))
      .map((field) => field.name)
      .filter((name) => suspicious.test(name) && !harmless.has(name));
    expect(found).toEqual([]);
  });

  it('says with `shares` and `threshold` how many there are, not what they are', () => {
    // In a recipe's form `shares` says where bank-vaults keeps them: on the device, or in which Secret.
    const counts = leaving
      .filter(({ name }) => name !== 'reply of recipes.defaults')
      .flatMap(({ schema }) => fieldsOf(jsonSchema(schema)))
      .filter(({ name }) => name === 'shares' || name === 'threshold');
    expect(counts.length).toBeGreaterThan(0);
    for (const { schema } of counts) expect(schema).toMatchObject({ type: 'number' });
  });

  it('has strict objects only, so that a field too many is a bug and not a leak', () => {
    const open = (schema: unknown): number => {
      if (Array.isArray(schema)) return schema.map(open).reduce((sum, count) => sum + count, 0);
      if (typeof schema !== 'object' || schema === null) return 0;
      const own =
        'properties' in schema && (!('additionalProperties' in schema) || schema.additionalProperties !== false)
          ? 1
          : 0;
      return Object.values(schema)
        .map(open)
        .reduce((sum, count) => sum + count, own);
    };
    for (const { name, schema } of leaving) expect({ name, open: open(jsonSchema(schema)) }).toEqual({ name, open: 0 });
  });
});

describe('what the prompt window exchanges', () => {
  it('carries secrets as sealed envelopes only', () => {
    const names = Object.values(promptChannels)
      .flatMap(({ request, reply }) => [...fieldsOf(jsonSchema(request)), ...fieldsOf(jsonSchema(reply))])
      .map((field) => field.name)
      .filter((name) => suspicious.test(name) && !harmless.has(name));
    expect(names).toEqual([]);
  });
});

describe('the names that preload scripts know', () => {
  it('are those of the contracts', () => {
    expect([...channelNames].sort()).toEqual(Object.keys(channels).sort());
    expect([...windowEventNames].sort()).toEqual(Object.keys(windowEvents).sort());
    expect([...promptChannelNames].sort()).toEqual(Object.keys(promptChannels).sort());
    expect(exposedNames).toEqual({ main: bridgeName, prompt: promptBridgeName });
  });
});
