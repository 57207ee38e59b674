/**
 * The prompt window's own tiny contract. The only place where a secret is typed or shown; what is typed
 * leaves the window sealed to the host that needs it, what is shown arrives sealed to this window.
 */
import { z } from 'zod';
import { sealedSecretSchema, sealingPublicKeySchema } from '../sealing/schema.ts';

const common = { id: z.string(), rehearsal: z.boolean(), act: z.string(), problem: z.string() };

export const promptViewSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('pin'),
    role: z.enum(['user', 'so']),
    isNew: z.boolean(),
    tokenLabel: z.string(),
    tokenSerial: z.string(),
    minimumLength: z.number(),
    maximumLength: z.number(),
    pinState: z.enum(['ok', 'count-low', 'final-try', 'locked']),
    form: z.enum(['text', 'hex16']),
    recipient: sealingPublicKeySchema,
    purpose: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('password'),
    what: z.string(),
    custodian: z.string(),
    isNew: z.boolean(),
    form: z.enum(['password', 'piece', 'secret-value', 'vault-token']),
    minimumLength: z.number(),
    tokenLabel: z.string(),
    tokenSerial: z.string(),
    recipient: sealingPublicKeySchema,
    purpose: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('share'),
    vaultName: z.string(),
    recipient: sealingPublicKeySchema,
    purpose: z.string(),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('hand-out'),
    /** A Vault's key share, a piece of a DKEK share's password, or the root token. */
    what: z.enum(['share', 'piece', 'root-token']),
    custodian: z.string(),
    label: z.string(),
    vaultName: z.string(),
    purpose: z.string(),
  }),
]);
export type PromptView = z.infer<typeof promptViewSchema>;

const promptId = z.string().min(1).max(80);

export const promptChannels = {
  'prompt.get': { request: z.strictObject({}), reply: promptViewSchema },
  /** pin, password and share */
  'prompt.submit': {
    request: z.strictObject({ id: promptId, sealed: sealedSecretSchema, consentToLastTry: z.boolean() }),
    reply: z.strictObject({}),
  },
  /** hand-out: this window's public key in, the value sealed to it out */
  'prompt.reveal': {
    request: z.strictObject({ id: promptId, publicKey: sealingPublicKeySchema }),
    reply: z.strictObject({ sealed: sealedSecretSchema }),
  },
  /** hand-out: the custodian typed the value back and it was the same */
  'prompt.confirm': { request: z.strictObject({ id: promptId }), reply: z.strictObject({}) },
  'prompt.cancel': { request: z.strictObject({ id: promptId }), reply: z.strictObject({}) },
} as const;
export type PromptChannelName = keyof typeof promptChannels;
export type PromptChannelRequest<Name extends PromptChannelName> = z.infer<(typeof promptChannels)[Name]['request']>;
export type PromptChannelReply<Name extends PromptChannelName> = z.infer<(typeof promptChannels)[Name]['reply']>;

export const promptBridgeName = 'custodianPrompt';
