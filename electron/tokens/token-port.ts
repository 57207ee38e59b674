import type { z } from 'zod';
import { fromBase64, toBase64 } from '../sealing/sealed.ts';
import {
  tokenHostArguments,
  tokenHostRequests,
  type TokenHostMethod,
  type TokenHostReply,
  type TokenHostRequest,
} from '../../native/protocol.ts';
import { createHostClient, type HostClient } from '../hosts/host-client.ts';
import type { HostLauncher } from '../hosts/host-process.ts';
import { failure, success, type Result, type TokenFailureCode } from '../workflows/failures.ts';
import type { DevicePort, ObjectPort } from '../workflows/device-ports.ts';
import { ownLabel } from '../workflows/token-labels.ts';
import type { TokenDescription, TokenPort, TokenStore } from '../workflows/ports.ts';
import { createDevicePort } from './device-port.ts';
import { fromOutcome, malformedAnswer } from './failures.ts';
import { createObjectPort } from './object-port.ts';

export interface TokenPortOptions {
  /** Asked at every call: rehearsals and added modules come and go. */
  readonly stores: () => readonly TokenStore[];
  readonly launch: HostLauncher;
  /** In milliseconds, for a test that does not want to wait; the defaults are what the slowest cards need. */
  readonly deadlines?: Partial<Readonly<Record<TokenHostMethod, number>>>;
  /** Whether a store can hold tokens at all now; one that cannot is listed as empty without being asked. */
  readonly mayHoldTokens?: (store: TokenStore) => Promise<boolean>;
}

const seconds = 1000;

/** How long a host may take to come up. */
const readyDeadline = 20 * seconds;

/** A card makes an RSA-4096 pair in up to a minute and a half; OpenSC needs seconds to initialise. */
const usualDeadline = 20 * seconds;
const longDeadlines: Partial<Record<TokenHostMethod, number>> = {
  generateKeyPair: 120 * seconds,
  initializeToken: 60 * seconds,
  'device.initialize': 60 * seconds,
  // Ten million rounds of MD5 stand between a password and a DKEK share (sc-hsm-tool's form).
  'dkek.create-share': 120 * seconds,
  'dkek.import-share': 120 * seconds,
  'dkek.open-share': 120 * seconds,
  'device.wrap-key': 60 * seconds,
  'device.unwrap-key': 60 * seconds,
  'device.attest': 60 * seconds,
  'objects.list': 60 * seconds,
  'keys.test': 60 * seconds,
};

interface StoreHost {
  readonly store: TokenStore;
  readonly client: HostClient;
}

/** What OpenSC calls every token (framework-pkcs15.c). */
const openscModel = /^PKCS#15/u;

function toDescription(storeId: string, token: TokenHostReply<'listTokens'>[number]): TokenDescription {
  const label = openscModel.test(token.model) ? ownLabel(token.label) : token.label;
  return { storeId, ...token, label, reportedLabel: token.label };
}

function sameModule(one: TokenStore, other: TokenStore): boolean {
  return one.modulePath === other.modulePath && one.softhsmConfiguration === other.softhsmConfiguration;
}

/**
 * Tokens of every store, through one host process per store. A host is started at the first call and again
 * at the next one after it ended; logins do not survive that. The host works on one request at a time, in
 * the order in which they came, so calls of two runs never mix in one session.
 *
 * Beside what the host answers: Token_ModuleCrashed, Token_ModuleHung, Token_HostUnavailable, and
 * Token_NotFound for a store that is not there any more.
 */
export function createTokenPort(options: TokenPortOptions): TokenPort & ObjectPort & DevicePort {
  const hosts = new Map<string, StoreHost>();

  /** The host for a store, made anew where its module or configuration has changed. */
  async function hostFor(store: TokenStore): Promise<StoreHost> {
    const known = hosts.get(store.id);
    if (known !== undefined && sameModule(known.store, store)) return known;
    const host: StoreHost = {
      store,
      client: createHostClient({
        launch: options.launch,
        entry: 'token-host',
        argumentList: [tokenHostArguments.modulePath, store.modulePath],
        environment: store.softhsmConfiguration === undefined ? {} : { SOFTHSM2_CONF: store.softhsmConfiguration },
        readyDeadline,
        answersInTurn: true,
      }),
    };
    hosts.set(store.id, host);
    await known?.client.close();
    return host;
  }

  async function askStore<Method extends TokenHostMethod>(
    store: TokenStore,
    method: Method,
    body: TokenHostRequest<Method>,
  ): Promise<Result<TokenHostReply<Method>, TokenFailureCode>> {
    const { client } = await hostFor(store);
    const deadline = options.deadlines?.[method] ?? longDeadlines[method] ?? usualDeadline;
    const answer = fromOutcome(store, method, await client.request(method, body, deadline));
    if (!answer.ok) return answer;
    const reply = parseReply(method, answer.value);
    return reply === undefined ? malformedAnswer(store) : success(reply);
  }

  async function ask<Method extends TokenHostMethod>(
    storeId: string,
    method: Method,
    body: TokenHostRequest<Method>,
  ): Promise<Result<TokenHostReply<Method>, TokenFailureCode>> {
    const store = options.stores().find(({ id }) => id === storeId);
    if (store !== undefined) return askStore(store, method, body);
    return failure(
      'Token_NotFound',
      'The token store is not there any more: its module was removed, or the rehearsal was thrown away.',
      'Choose a token from the list.',
      { storeId },
    );
  }

  const mayHoldTokens = options.mayHoldTokens ?? (() => Promise.resolve(true));

  const devices = createDevicePort(ask);

  return {
    ...createObjectPort(ask),
    ...devices,
    listDevices: async (storeId) => {
      const store = options.stores().find(({ id }) => id === storeId);
      return store === undefined || (await mayHoldTokens(store)) ? devices.listDevices(storeId) : success([]);
    },
    listTokens: (onlyStoreId) =>
      Promise.all(
        options
          .stores()
          .filter(({ id }) => onlyStoreId === undefined || id === onlyStoreId)
          .map(async (store) => {
            if (!(await mayHoldTokens(store))) return { store, result: success([]) };
            const tokens = await askStore(store, 'listTokens', {});
            if (!tokens.ok) return { store, result: tokens };
            return { store, result: success(tokens.value.map((token) => toDescription(store.id, token))) };
          }),
      ),
    sealingPublicKey: async (storeId) => {
      const hello = await ask(storeId, 'hello', {});
      return hello.ok ? success(hello.value.sealingPublicKey) : hello;
    },
    initializeToken: ({ storeId, slotId, expectedSerial, label, soPin, pin }) =>
      ask(storeId, 'initializeToken', { slotId, expectedSerial, label, soPin, pin }),
    login: ({ storeId, serial }, pin, consentToLastTry) => ask(storeId, 'login', { serial, pin, consentToLastTry }),
    logout: async ({ storeId, serial }) => {
      // A host that does not run holds no session.
      if (hosts.get(storeId)?.client.running !== true) return success({});
      return ask(storeId, 'logout', { serial });
    },
    listObjects: ({ storeId, serial }) => ask(storeId, 'listObjects', { serial }),
    generateKeyPair: ({ storeId, serial }, label, kind) => ask(storeId, 'generateKeyPair', { serial, label, kind }),
    findWrappingKey: ({ storeId, serial }, label) => ask(storeId, 'findWrappingKey', { serial, label }),
    writeData: ({ storeId, serial }, label, value) =>
      ask(storeId, 'writeData', { serial, label, value: toBase64(value) }),
    readData: async ({ storeId, serial }, label) => {
      const read = await ask(storeId, 'readData', { serial, label });
      return read.ok ? success(fromBase64(read.value.value)) : read;
    },
    deleteData: ({ storeId, serial }, label) => ask(storeId, 'deleteData', { serial, label }),
    decrypt: async ({ storeId, serial }, keyLabel, ciphertext, recipient, purpose) => {
      const body = { serial, keyLabel, ciphertext: toBase64(ciphertext), recipient, purpose };
      const decrypted = await ask(storeId, 'decrypt', body);
      return decrypted.ok ? success(decrypted.value.sealed) : decrypted;
    },
    decryptData: async ({ storeId, serial }, keyLabel, label, recipient, purpose) => {
      const decrypted = await ask(storeId, 'decryptData', { serial, keyLabel, label, recipient, purpose });
      return decrypted.ok ? success(decrypted.value.sealed) : decrypted;
    },
    verifyDecrypt: ({ storeId, serial }, keyLabel, ciphertext, expectedSha256) =>
      ask(storeId, 'verifyDecrypt', { serial, keyLabel, ciphertext: toBase64(ciphertext), expectedSha256 }),
    closeAll: async () => {
      const ending = [...hosts.values()];
      hosts.clear();
      await Promise.all(ending.map(({ client }) => closeHost(client)));
    },
  };
}

/** How long a host may take to log out before it is ended all the same. */
const logoutMilliseconds = 2 * seconds;

/** Asks the host to log out, which the token notices, and ends it whatever it answers: a lock does not wait for a slow card. */
async function closeHost(client: HostClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  if (client.running) {
    const tooLate = new Promise((resolve) => {
      timer = setTimeout(resolve, logoutMilliseconds);
    });
    await Promise.race([client.request('close', {}, usualDeadline), tooLate]);
  }
  clearTimeout(timer);
  await client.close();
}

/** The protocol's schemas, by method, in the form that lets a reply's type follow from its method. */
const schemas: { readonly [Method in TokenHostMethod]: { readonly reply: z.ZodType<TokenHostReply<Method>> } } =
  tokenHostRequests;

function parseReply<Method extends TokenHostMethod>(
  method: Method,
  value: unknown,
): TokenHostReply<Method> | undefined {
  const parsed = schemas[method].reply.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
