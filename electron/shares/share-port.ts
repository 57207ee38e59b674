import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { answerOf, setVariables, type HostWords } from '../hosts/answers.ts';
import { createHostClient } from '../hosts/host-client.ts';
import type { HostLauncher } from '../hosts/host-process.ts';
import {
  success,
  type AppFailureCode,
  type CustodyFailureCode,
  type PgpFailureCode,
  type Result,
  type VaultFailureCode,
} from '../workflows/failures.ts';
import type { SharePort } from '../workflows/ports.ts';
import type { VaultSetUpPort } from '../workflows/vault-setup-ports.ts';
import { gpgEnvironmentNames } from './gpg.ts';
import {
  heldInMemory,
  shareFailureSchema,
  shareHostRequests,
  type ShareHostMethod,
  type ShareHostReply,
  type ShareHostRequest,
} from './protocol.ts';

type ShareFailureCode = VaultFailureCode | PgpFailureCode | CustodyFailureCode | AppFailureCode;

const readyDeadline = 15_000;
/** Between two tries to write what only the share host holds, milliseconds. */
const retryInterval = 2_000;

/** Milliseconds; each beyond what the host itself waits for, so that the host's own words come first. */
const deadlines: Readonly<Record<ShareHostMethod, number>> = {
  hello: 10_000,
  initialize: 90_000,
  prepareUnseal: 20_000,
  submitShare: 0,
  submitPgpShare: 130_000,
  resetUnseal: 40_000,
  revokeRootToken: 45_000,
  describePgpKey: 15_000,
  'setup.hold-token': 20_000,
  'setup.holds-token': 10_000,
  'setup.look': 20_000,
  'setup.make': 60_000,
  'setup.try-policy': 100_000,
  'setup.forget-token': 10_000,
};

/** Nodes are asked at once; one that answers nothing takes its status, unseal and join deadlines, 55 s in all. */
const nodesDeadline = 65_000;

export interface SharePortOptions {
  readonly launch: HostLauncher;
  /** Where gpg's variables are taken from. */
  readonly environment?: NodeJS.ProcessEnv;
}

const words: HostWords<ShareFailureCode> = {
  process: 'share process',
  ended: 'App_HostUnavailable',
  failures: shareFailureSchema,
};

/** Every call that carries a share or root token, in a process of its own that is started when first needed. */
export function createSharePort(options: SharePortOptions): SharePort & VaultSetUpPort {
  const client = createHostClient({
    launch: options.launch,
    entry: 'share-host',
    argumentList: [],
    environment: setVariables(options.environment ?? process.env, gpgEnvironmentNames),
    readyDeadline,
    answersInTurn: true,
  });

  async function ask<Method extends ShareHostMethod>(
    method: Method,
    body: ShareHostRequest<Method>,
    reply: z.ZodType<ShareHostReply<Method>>,
    extraDeadline = 0,
  ): Promise<Result<ShareHostReply<Method>, ShareFailureCode>> {
    return answerOf(await client.request(method, body, deadlines[method] + extraDeadline), reply, words);
  }

  let initializing: Promise<unknown> = Promise.resolve();
  /** The request whose values are in the share host's memory and nowhere else. */
  let unwritten: ShareHostRequest<'initialize'> | undefined;
  let underWay = 0;
  let greeted: (ShareHostReply<'hello'> & { readonly pid: number | undefined }) | undefined;

  async function initialize(
    request: ShareHostRequest<'initialize'>,
  ): Promise<Result<ShareHostReply<'initialize'>, ShareFailureCode>> {
    underWay += 1;
    const asked = ask('initialize', request, shareHostRequests.initialize.reply);
    initializing = asked;
    const result = await asked;
    underWay -= 1;
    unwritten = !result.ok && result.error.details?.[heldInMemory] === true ? request : undefined;
    return result;
  }

  const port: SharePort & VaultSetUpPort = {
    get holdsUnsaved() {
      return underWay > 0 || unwritten !== undefined;
    },
    async sealingPublicKey() {
      // A host keeps its key for life.
      if (greeted !== undefined && greeted.pid === client.pid) return success(greeted.sealingPublicKey);
      const hello = await ask('hello', {}, shareHostRequests.hello.reply);
      if (!hello.ok) return hello;
      greeted = { pid: client.pid, ...hello.value };
      return success(hello.value.sealingPublicKey);
    },
    initialize: (request) => initialize({ ...request, destinations: [...request.destinations] }),
    async prepareUnseal(connections) {
      // Greeted first, so that whoever asks for the key meanwhile does not wait for slow nodes.
      const hello = await port.sealingPublicKey();
      return hello.ok
        ? ask('prepareUnseal', { connections: [...connections] }, shareHostRequests.prepareUnseal.reply)
        : hello;
    },
    submitShare: (connections, share, straightOn = false, migrate = false) =>
      ask(
        'submitShare',
        { connections: [...connections], share, straightOn, migrate },
        shareHostRequests.submitShare.reply,
        nodesDeadline,
      ),
    submitPgpShare: (connections, pgpMessage, migrate = false) =>
      ask(
        'submitPgpShare',
        { connections: [...connections], pgpMessage: Buffer.from(pgpMessage).toString('base64'), migrate },
        shareHostRequests.submitPgpShare.reply,
        nodesDeadline,
      ),
    resetUnseal: (connection) => ask('resetUnseal', { connection }, shareHostRequests.resetUnseal.reply),
    revokeRootToken: (connection, token) =>
      ask('revokeRootToken', { connection, token }, shareHostRequests.revokeRootToken.reply),
    holdToken: (runId, connection, namespace, token) =>
      ask('setup.hold-token', { runId, connection, namespace, token }, shareHostRequests['setup.hold-token'].reply),
    holdsToken: (runId) => ask('setup.holds-token', { runId }, shareHostRequests['setup.holds-token'].reply),
    look: (runId, wanted) => ask('setup.look', { runId, wanted }, shareHostRequests['setup.look'].reply),
    make: (runId, wanted, replace, reviewerToken) =>
      ask(
        'setup.make',
        { runId, wanted, replace, reviewerToken: reviewerToken ?? null },
        shareHostRequests['setup.make'].reply,
      ),
    tryPolicy: (runId, tried) =>
      ask('setup.try-policy', { runId, ...tried }, shareHostRequests['setup.try-policy'].reply),
    forgetToken: (runId) => ask('setup.forget-token', { runId }, shareHostRequests['setup.forget-token'].reply),
    describePgpKey: (key) =>
      ask('describePgpKey', { key: Buffer.from(key).toString('base64') }, shareHostRequests.describePgpKey.reply),
    async close() {
      // Locking or quitting must not lose what Vault has just answered: the host lives until it is on disk.
      await initializing;
      while (unwritten !== undefined) {
        const written = await initialize(unwritten);
        if (!written.ok && written.error.details?.[heldInMemory] === true) await delay(retryInterval);
      }
      await client.close();
    },
  };
  return port;
}
