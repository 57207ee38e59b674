/**
 * The one way a handler gets onto a channel. Request and reply are parsed by the channel's schemas and
 * the sender is checked here, so a handler sees neither raw input nor a stranger. Pure: the transport is
 * Electron's in the app (`ipc-main.ts`) and a fake in the contract tests.
 */
import type { z } from 'zod';
import { failure, type Failure, type Result } from '../workflows/failures.ts';
import { measureRequest } from './request-limits.ts';

export interface ChannelDefinition {
  readonly request: z.ZodType;
  readonly reply: z.ZodType;
}
export type ChannelDefinitions = Readonly<Record<string, ChannelDefinition>>;

/** Who sent a message, as the browser process knows it: nothing that the window says about itself. */
export interface Sender {
  readonly webContentsId: number;
  readonly isMainFrame: boolean;
  /** Serialised origin of the sending frame, such as 'app://main'. */
  readonly origin: string;
}

export interface Transport {
  handle(wireName: string, listener: (sender: Sender, request: unknown) => Promise<unknown>): void;
}

export type Handler<Definition extends ChannelDefinition> = (
  request: z.output<Definition['request']>,
) => Promise<Result<z.input<Definition['reply']>>>;

/** One handler per channel, no more and no less: a name without schemas is no key of this type. */
export type Handlers<Definitions extends ChannelDefinitions> = {
  readonly [Name in keyof Definitions]: Handler<Definitions[Name]>;
};

export interface Registration<Definitions extends ChannelDefinitions> {
  readonly transport: Transport;
  readonly prefix: string;
  readonly definitions: Definitions;
  readonly handlers: Handlers<Definitions>;
  /** Whether this sender is the one window these channels belong to. */
  readonly isAllowedSender: (sender: Sender) => boolean;
  /** Why a well-formed request is refused now (the app is locked), or undefined. */
  readonly refuseNow: (name: string) => Failure | undefined;
  /** Told the channel and the kind of a bug, never its text, which might quote a request. */
  readonly onBug: (channel: string, kind: string) => void;
}

const senderRefused = failure(
  'App_SenderRefused',
  'The request did not come from the window it belongs to.',
  'Restart the app. If it happens again, do not enter a PIN, and report it.',
);
const internal = failure(
  'App_Internal',
  'The app made a mistake while it worked on this.',
  'Try again. If it happens again, restart the app: runs go on where they stopped.',
);

function badRequest(reason: string): Result<never> {
  return failure(
    'App_BadRequest',
    `The window sent a request that is not understood: ${reason}.`,
    'Check what was entered and try again.',
  );
}

/** Where a request fails its schema: field names of the schema only, never what was sent. */
function describeIssues(error: z.ZodError, request: z.ZodType): string {
  const first = error.issues[0];
  if (first === undefined) return 'it does not have the agreed form';
  const path = first.path.filter(
    (part): part is string | number => typeof part === 'string' || typeof part === 'number',
  );
  const known = knownFieldNames(request);
  const fields = path.map((part) => (typeof part === 'number' || known.has(part) ? String(part) : '…'));
  return fields.length === 0
    ? 'it does not have the agreed form'
    : `the field ${fields.join('.').slice(0, 200)} does not have the agreed form`;
}

function knownFieldNames(schema: unknown, found: Set<string> = new Set(), depth = 0): Set<string> {
  if (depth > 8 || typeof schema !== 'object' || schema === null) return found;
  const shape: unknown = 'shape' in schema ? schema.shape : undefined;
  if (typeof shape === 'object' && shape !== null) {
    for (const [key, value] of Object.entries(shape)) {
      found.add(key);
      knownFieldNames(value, found, depth + 1);
    }
  }
  const options: unknown = 'options' in schema ? schema.options : undefined;
  if (Array.isArray(options)) for (const option of options) knownFieldNames(option, found, depth + 1);
  const element: unknown = 'element' in schema ? schema.element : undefined;
  if (element !== undefined) knownFieldNames(element, found, depth + 1);
  return found;
}

async function answer<Definitions extends ChannelDefinitions, Name extends keyof Definitions & string>(
  registration: Registration<Definitions>,
  name: Name,
  definition: Definitions[Name],
  sender: Sender,
  request: unknown,
): Promise<Result<unknown>> {
  if (!registration.isAllowedSender(sender)) return senderRefused;
  const refusedSize = measureRequest(request);
  if (refusedSize !== undefined) return badRequest(refusedSize);
  // True by the definition of z.output; the compiler cannot follow it through the mapped type.
  const requestSchema = definition.request as z.ZodType<z.output<Definitions[Name]['request']>>;
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) return badRequest(describeIssues(parsed.error, definition.request));
  const refusal = registration.refuseNow(name);
  if (refusal !== undefined) return { ok: false, error: refusal };
  const handler = registration.handlers[name];
  const result = await handler(parsed.data);
  if (!result.ok) return { ok: false, error: copyFailure(result.error) };
  const reply = definition.reply.safeParse(result.value);
  if (!reply.success) {
    registration.onBug(name, 'ReplySchema');
    return internal;
  }
  return { ok: true, value: reply.data };
}

/** Only the agreed fields of a failure leave main, whatever else an adapter may have hung on it. */
function copyFailure(error: Failure): Failure {
  const { code, message, next, details } = error;
  return details === undefined ? { code, message, next } : { code, message, next, details };
}

/**
 * Puts every handler of a contract on its channel. A foreign sender gets App_SenderRefused, a request
 * outside its schema or limits App_BadRequest, a handler that throws App_Internal without the cause.
 */
export function registerChannels<const Definitions extends ChannelDefinitions>(
  registration: Registration<Definitions>,
): void {
  const register = <Name extends keyof Definitions & string>(name: Name, definition: Definitions[Name]): void => {
    registration.transport.handle(`${registration.prefix}${name}`, async (sender, request) => {
      try {
        return await answer(registration, name, definition, sender, request);
      } catch (cause) {
        registration.onBug(name, cause instanceof Error ? cause.name : typeof cause);
        return internal;
      }
    });
  };
  for (const name of Object.keys(registration.definitions)) {
    const definition = registration.definitions[name];
    if (definition !== undefined) register(name, definition as Definitions[typeof name]);
  }
}
