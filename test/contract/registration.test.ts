import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channels, type ChannelName } from '../../electron/contract/channels.ts';
import { promptChannels } from '../../electron/contract/prompt.ts';
import { createLockGate } from '../../electron/ipc/main-handlers.ts';
import {
  registerChannels,
  type ChannelDefinitions,
  type Handlers,
  type Sender,
  type Transport,
} from '../../electron/ipc/registration.ts';
import { createSenderCheck } from '../../electron/security/sender-check.ts';
import { failure, success, type Failure } from '../../electron/workflows/failures.ts';
import { anything, honestPromptRequests, honestRequests, hostileValues } from './hostile-input.ts';

const mainId = 7;
const promptId = 9;
const mainSender: Sender = { webContentsId: mainId, isMainFrame: true, origin: 'app://main' };
const promptSender: Sender = { webContentsId: promptId, isMainFrame: true, origin: 'app://prompt' };

const answerSchema = z.union([
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({
      code: z.string(),
      message: z.string().min(1),
      next: z.string().min(1),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);
type Answer = z.infer<typeof answerSchema>;

interface FakeTransport extends Transport {
  send(name: string, sender: Sender, request: unknown): Promise<Answer>;
  readonly names: readonly string[];
}

function createTransport(): FakeTransport {
  const listeners = new Map<string, (sender: Sender, request: unknown) => Promise<unknown>>();
  return {
    handle(name, listener) {
      listeners.set(name, listener);
    },
    async send(name, sender, request) {
      const listener = listeners.get(name);
      if (listener === undefined) throw new Error(`nothing listens on ${name}`);
      return answerSchema.parse(await listener(sender, request));
    },
    get names() {
      return [...listeners.keys()];
    },
  };
}

/** Handlers that say that they were reached: what the contract promises is decided before them. */
function reachable<Definitions extends ChannelDefinitions>(
  definitions: Definitions,
  reached: (name: string, request: unknown) => void,
): Handlers<Definitions> {
  const handlers: Record<string, (request: unknown) => Promise<unknown>> = {};
  for (const name of Object.keys(definitions)) {
    handlers[name] = async (request) => {
      reached(name, request);
      return failure('App_NotFound', 'Reached.', 'Nothing.');
    };
  }
  return handlers as Handlers<Definitions>;
}

interface Rig {
  readonly transport: FakeTransport;
  readonly reached: { readonly name: string; readonly request: unknown }[];
  readonly bugs: string[];
}

function rig(refuseNow: (name: string) => Failure | undefined = () => undefined): Rig {
  const transport = createTransport();
  const reached: Rig['reached'] = [];
  const bugs: string[] = [];
  const onBug = (channel: string, kind: string): void => {
    bugs.push(`${channel} ${kind}`);
  };
  const note = (name: string, request: unknown): void => {
    reached.push({ name, request });
  };
  registerChannels({
    transport,
    prefix: 'main:',
    definitions: channels,
    handlers: reachable(channels, note),
    isAllowedSender: createSenderCheck('main', () => mainId),
    refuseNow,
    onBug,
  });
  registerChannels({
    transport,
    prefix: 'prompt:',
    definitions: promptChannels,
    handlers: reachable(promptChannels, note),
    isAllowedSender: createSenderCheck('prompt', () => promptId),
    refuseNow: () => undefined,
    onBug,
  });
  return { transport, reached, bugs };
}

const everyChannel = [
  ...Object.entries(honestRequests).map(([name, request]) => ({
    wire: `main:${name}`,
    name,
    request,
    sender: mainSender,
    stranger: promptSender,
  })),
  ...Object.entries(honestPromptRequests).map(([name, request]) => ({
    wire: `prompt:${name}`,
    name,
    request,
    sender: promptSender,
    stranger: mainSender,
  })),
];

const codeOf = (answer: Answer): string => (answer.ok ? 'ok' : answer.error.code);

describe('every channel of both contracts', () => {
  it('has a handler, and there is no other', () => {
    expect([...rig().transport.names].sort()).toEqual(everyChannel.map(({ wire }) => wire).sort());
  });

  it.each(everyChannel)(
    '$name takes an honest request from its own window',
    async ({ wire, name, request, sender }) => {
      const { transport, reached } = rig();
      expect(codeOf(await transport.send(wire, sender, request))).toBe('App_NotFound');
      expect(reached).toEqual([{ name, request }]);
    },
  );

  it.each(everyChannel)(
    '$name refuses every other sender, whatever it sends',
    async ({ wire, request, sender, stranger }) => {
      const { transport, reached } = rig();
      const strangers: readonly Sender[] = [
        stranger,
        { ...sender, webContentsId: sender.webContentsId + 1 },
        { ...sender, webContentsId: stranger.webContentsId },
        { ...sender, isMainFrame: false },
        ...[
          '',
          'null',
          'app://',
          'app://pdf',
          'app://main.evil',
          'app://mainprompt',
          'https://main',
          'file://',
          `${sender.origin}/`,
          sender.origin.toUpperCase(),
        ].map((origin) => ({ ...sender, origin })),
      ];
      for (const one of strangers) {
        expect(codeOf(await transport.send(wire, one, request))).toBe('App_SenderRefused');
        expect(codeOf(await transport.send(wire, one, { junk: true }))).toBe('App_SenderRefused');
      }
      expect(reached).toEqual([]);
    },
  );

  it.each(everyChannel)('$name refuses hostile values without reaching its handler', async ({ wire, sender }) => {
    const { transport, reached, bugs } = rig();
    for (const value of hostileValues) expect(codeOf(await transport.send(wire, sender, value))).toBe('App_BadRequest');
    expect(reached).toEqual([]);
    expect(bugs).toEqual([]);
  });

  it.each(everyChannel)(
    '$name refuses an honest request with one field too many, or one of another type',
    async ({ wire, sender, request }) => {
      const { transport, reached } = rig();
      const honest = z.record(z.string(), z.unknown()).parse(request);
      const altered = [
        { ...honest, extra: 'x' },
        ...Object.keys(honest).flatMap((field) => [
          { ...honest, [field]: undefined },
          { ...honest, [field]: null },
          { ...honest, [field]: { toString: 'x' } },
          { ...honest, [field]: [{ unknown: 1 }] },
          { ...honest, [field]: 'x'.repeat(3 * 1024 * 1024) },
        ]),
      ];
      for (const bad of altered) expect(codeOf(await transport.send(wire, sender, bad))).toBe('App_BadRequest');
      expect(reached).toEqual([]);
    },
  );

  it.each(everyChannel)(
    '$name answers anything at all with a Result, and pollutes nothing',
    async ({ wire, sender }) => {
      const { transport, reached, bugs } = rig();
      await fc.assert(
        fc.asyncProperty(anything, async (value) => {
          const answer = await transport.send(wire, sender, value);
          expect(['App_BadRequest', 'App_NotFound']).toContain(codeOf(answer));
        }),
        { numRuns: 200 },
      );
      // What did reach a handler had been parsed, so it is a plain object of the schema's own fields.
      for (const { request } of reached) expect(Object.getPrototypeOf(request)).toBe(Object.prototype);
      expect(bugs).toEqual([]);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect('polluted' in {}).toBe(false);
    },
  );
});

describe('what a refusal says', () => {
  it('names the field of the schema and never repeats what was sent', async () => {
    const { transport } = rig();
    const answer = await transport.send('main:tokens.inspect', mainSender, {
      storeId: 'marker-value-in-request-1',
      serial: 4711_4711,
    });
    expect(JSON.stringify(answer)).toContain('serial');
    expect(JSON.stringify(answer)).not.toMatch(/marker-value|47114711/u);
    const withKey = await transport.send('main:tokens.inspect', mainSender, { 'marker-key-in-request': 1 });
    expect(JSON.stringify(withKey)).not.toContain('marker-key');
  });
});

describe('a handler', () => {
  const definitions = {
    'test.echo': { request: z.strictObject({}), reply: z.strictObject({ text: z.string() }) },
  } as const;
  const register = (
    handler: Handlers<typeof definitions>['test.echo'],
  ): { readonly transport: FakeTransport; readonly bugs: string[] } => {
    const transport = createTransport();
    const bugs: string[] = [];
    registerChannels({
      transport,
      prefix: '',
      definitions,
      handlers: { 'test.echo': handler },
      isAllowedSender: () => true,
      refuseNow: () => undefined,
      onBug: (channel, kind) => bugs.push(`${channel} ${kind}`),
    });
    return { transport, bugs };
  };

  it('that throws answers App_Internal without the text of the cause', async () => {
    const { transport, bugs } = register(() => Promise.reject(new RangeError('marker-of-the-cause')));
    const answer = await transport.send('test.echo', mainSender, {});
    expect(codeOf(answer)).toBe('App_Internal');
    expect(JSON.stringify([answer, bugs])).not.toContain('marker-of-the-cause');
    expect(bugs).toEqual(['test.echo RangeError']);
  });

  it('that answers more than its reply schema has is a bug, and nothing of it leaves', async () => {
    const { transport, bugs } = register(async () => {
      const value = { text: 'x', surplus: 'marker-of-the-reply' };
      return success(value);
    });
    const answer = await transport.send('test.echo', mainSender, {});
    expect(codeOf(answer)).toBe('App_Internal');
    expect(JSON.stringify(answer)).not.toContain('marker-of-the-reply');
    expect(bugs).toEqual(['test.echo ReplySchema']);
  });

  it('has its failures copied field by field', async () => {
    const carrier = { ...failure('App_NotFound', 'Gone.', 'Look again.').error, cause: 'marker-on-the-failure' };
    const { transport } = register(async () => ({ ok: false, error: carrier }));
    expect(await transport.send('test.echo', mainSender, {})).toEqual(failure('App_NotFound', 'Gone.', 'Look again.'));
  });
});

describe('a locked app', () => {
  const open: readonly ChannelName[] = ['view.get', 'app.lock', 'app.unlock', 'app.copy-details', 'settings.change'];

  it.each(Object.entries(honestRequests))('%s', async (name, request) => {
    const { transport, reached } = rig(createLockGate(() => true));
    const answered = open.some((channel) => channel === name);
    expect(codeOf(await transport.send(`main:${name}`, mainSender, request))).toBe(
      answered ? 'App_NotFound' : 'App_Locked',
    );
    expect(reached.length).toBe(answered ? 1 : 0);
  });
});
