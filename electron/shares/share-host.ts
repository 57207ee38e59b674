/**
 * Entry of the share host: the only process, beside the token host, that holds a share or root token in the
 * clear. It is ended after the run. One request at a time, in order.
 */
import type { z } from 'zod';
import {
  collectGarbageAtOnce,
  exitOnUncaughtErrors,
  keepMemoryOutOfCoreDumps,
  openParentPort,
} from '../hosts/parent-port.ts';
import { secretPurpose } from '../sealing/schema.ts';
import { describeStatus } from '../vault/replies.ts';
import { createVaultTransport } from '../vault/transport.ts';
import { failure, success, type Result } from '../workflows/failures.ts';
import type { VaultConnection } from '../workflows/ports.ts';
import { decryptWithGpg } from './gpg.ts';
import { createInitializer } from './initialize.ts';
import { createOpener } from '../hosts/opener.ts';
import { describePgpKey } from './pgp.ts';
import {
  shareHostRequests,
  shareRequestEnvelopeSchema,
  type ShareHostMethod,
  type ShareHostReply,
  type ShareHostRequest,
} from './protocol.ts';
import { createVaultSetUp } from './setup.ts';
import { normalizeShare } from './share-form.ts';
import { createUnsealer } from './unseal.ts';

const revokeDeadline = 30_000;

type Handler = (body: unknown) => Promise<Result<unknown>>;
type Handlers = Readonly<Record<ShareHostMethod, Handler>>;

/** No handler without its schema: what arrives is parsed before it is looked at. */
function handle<Method extends ShareHostMethod>(
  schema: z.ZodType<ShareHostRequest<Method>>,
  act: (request: ShareHostRequest<Method>) => Promise<Result<ShareHostReply<Method>>>,
): Handler {
  return async (body) => {
    const parsed = schema.safeParse(body);
    return parsed.success
      ? act(parsed.data)
      : failure(
          'App_BadRequest',
          'The share process was asked something malformed.',
          'This is a fault of the app: report it.',
        );
  };
}

function notForThisHost(): Result<never> {
  return failure(
    'App_BadRequest',
    'The share was not meant for this process or was changed on its way.',
    'Enter it again.',
  );
}

function createHandlers(): Handlers {
  const opener = createOpener();
  const transport = createVaultTransport();
  const initializer = createInitializer(transport);
  const unsealer = createUnsealer(transport);
  const setUp = createVaultSetUp(transport, opener);

  async function submit(
    connections: readonly VaultConnection[],
    opened: Uint8Array,
    straightOn: boolean,
    migrate: boolean,
  ): Promise<Result<ShareHostReply<'submitShare'>>> {
    const share = normalizeShare(opened);
    opened.fill(0);
    if (share === undefined)
      return failure(
        'Vault_ShareCorrupt',
        'This is not the form of a key share (64 or 66 hex characters, or 44 of base64). Nothing was sent.',
        'Compare it with its source, letter by letter, and give it again.',
      );
    const progress = await unsealer.submit(connections, share, straightOn, migrate).finally(() => share.fill(0));
    return success([...progress]);
  }

  async function revoke(request: ShareHostRequest<'revokeRootToken'>): Promise<Result<{ revoked: true }>> {
    const token = opener.open(request.token, secretPurpose.share);
    if (token === undefined) return notForThisHost();
    const { address } = request.connection;
    // node:http takes header values as strings only; this one ends with the process.
    const header = Buffer.from(token.buffer, token.byteOffset, token.length).toString('latin1').trim();
    token.fill(0);
    if (!/^[!-~]{1,8192}$/u.test(header))
      return failure(
        'Vault_PermissionDenied',
        'This is not the form of a Vault token. Nothing was sent.',
        'Check where the root token comes from.',
        { address },
      );
    const exchange = await transport.exchange(request.connection, {
      method: 'POST',
      path: '/v1/auth/token/revoke-self',
      headers: { 'x-vault-token': header },
      deadline: revokeDeadline,
    });
    if (exchange.kind === 'failed') return { ok: false, error: exchange.error };
    return exchange.status === 204 || exchange.status === 200
      ? success({ revoked: true })
      : { ok: false, error: describeStatus(exchange.status, exchange.body, address) };
  }

  const requests = shareHostRequests;
  return {
    hello: handle<'hello'>(requests.hello.request, () =>
      Promise.resolve(success({ sealingPublicKey: opener.publicKey })),
    ),
    initialize: handle<'initialize'>(requests.initialize.request, (request) => initializer.initialize(request)),
    prepareUnseal: handle<'prepareUnseal'>(requests.prepareUnseal.request, async (request) => {
      await unsealer.prepare(request.connections);
      return success({});
    }),
    submitShare: handle<'submitShare'>(requests.submitShare.request, async (request) => {
      const opened = opener.open(request.share, secretPurpose.share);
      return opened === undefined
        ? notForThisHost()
        : submit(request.connections, opened, request.straightOn, request.migrate);
    }),
    submitPgpShare: handle<'submitPgpShare'>(requests.submitPgpShare.request, async (request) => {
      const plaintext = await decryptWithGpg(Buffer.from(request.pgpMessage, 'base64'));
      return plaintext.ok ? submit(request.connections, plaintext.value, false, request.migrate) : plaintext;
    }),
    resetUnseal: handle<'resetUnseal'>(requests.resetUnseal.request, (request) => unsealer.reset(request.connection)),
    revokeRootToken: handle<'revokeRootToken'>(requests.revokeRootToken.request, revoke),
    'setup.hold-token': handle<'setup.hold-token'>(requests['setup.hold-token'].request, (request) =>
      setUp.holdToken(request),
    ),
    'setup.holds-token': handle<'setup.holds-token'>(requests['setup.holds-token'].request, ({ runId }) =>
      Promise.resolve(success({ held: setUp.holdsToken(runId) })),
    ),
    'setup.look': handle<'setup.look'>(requests['setup.look'].request, ({ runId, wanted }) =>
      setUp.look(runId, wanted),
    ),
    'setup.make': handle<'setup.make'>(requests['setup.make'].request, ({ runId, wanted, replace, reviewerToken }) =>
      setUp.make(runId, wanted, replace, reviewerToken),
    ),
    'setup.try-policy': handle<'setup.try-policy'>(requests['setup.try-policy'].request, ({ runId, ...tried }) =>
      setUp.tryPolicy(runId, tried),
    ),
    'setup.forget-token': handle<'setup.forget-token'>(requests['setup.forget-token'].request, ({ runId }) => {
      setUp.forgetToken(runId);
      return Promise.resolve(success({}));
    }),
    describePgpKey: handle<'describePgpKey'>(requests.describePgpKey.request, (request) =>
      describePgpKey(Buffer.from(request.key, 'base64')),
    ),
  };
}

function isMethod(method: string): method is ShareHostMethod {
  return Object.hasOwn(shareHostRequests, method);
}

function main(): void {
  exitOnUncaughtErrors();
  collectGarbageAtOnce();
  keepMemoryOutOfCoreDumps();
  // A reply of Vault to an initialisation cannot be had twice: it is in escrow before this process ends.
  let initializing: Promise<unknown> = Promise.resolve();
  const port = openParentPort(() => initializing);
  if (port === undefined) process.exit(64);
  const handlers = createHandlers();
  let queue: Promise<void> = Promise.resolve();
  port.onMessage((message) => {
    const envelope = shareRequestEnvelopeSchema.safeParse(message);
    if (!envelope.success) return;
    const { id, method, body } = envelope.data;
    queue = queue.then(async () => {
      const answering: Promise<Result<unknown>> = isMethod(method)
        ? handlers[method](body)
        : Promise.resolve(
            failure('App_BadRequest', 'The share host has no such request.', 'This is a fault of the app: report it.'),
          );
      if (method === 'initialize') initializing = answering;
      const result = await answering;
      port.postMessage(result.ok ? { id, ok: true, value: result.value } : { id, ok: false, error: result.error });
    });
  });
  port.postMessage({ signal: 'ready' });
}

main();
