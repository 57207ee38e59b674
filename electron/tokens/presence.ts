/**
 * Follows card readers and the USB bus through the presence host, a process of its own that holds no secret.
 * Where that host ends by itself it is started again with growing pauses; nothing that a person does waits for it.
 */
import { presenceRequests } from '../../native/presence/protocol.ts';
import { createHostClient, type HostClient, type HostOutcome } from '../hosts/host-client.ts';
import type { HostLauncher } from '../hosts/host-process.ts';
import type { PresenceDescription, PresencePort } from '../workflows/device-ports.ts';
import { failure, success, type Result, type TokenFailureCode } from '../workflows/failures.ts';

const seconds = 1000;
const readyDeadline = 20 * seconds;
/** libusb asks each device for its strings; a hub that hangs costs seconds. */
const readDeadline = 10 * seconds;
const firstPause = 1 * seconds;
const longestPause = 60 * seconds;

export interface PresencePortOptions {
  readonly launch: HostLauncher;
}

function toPresence(outcome: HostOutcome): Result<PresenceDescription, TokenFailureCode> {
  const parsed =
    outcome.kind === 'value' ? presenceRequests['presence.read'].reply.safeParse(outcome.value) : undefined;
  if (parsed?.success === true) return success(parsed.data);
  return failure(
    'Device_PresenceUnavailable',
    'The helper process that watches card readers and USB did not answer.',
    'Refresh to try again. Tokens are listed all the same when you ask for them.',
    { outcome: outcome.kind },
  );
}

function same(one: PresenceDescription | undefined, other: PresenceDescription): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Makes the port; nothing is started before `start` or `refresh`. */
export function createPresencePort({ launch }: PresencePortOptions): PresencePort {
  const listeners = new Set<() => void>();
  let current: PresenceDescription | undefined;
  let following = false;
  let pause = firstPause;
  let again: NodeJS.Timeout | undefined;

  const client: HostClient = createHostClient({
    launch,
    entry: 'presence-host',
    argumentList: [],
    environment: {},
    readyDeadline,
    onChanged: () => void look(),
    onExit: () => {
      if (!following) return;
      clearTimeout(again);
      again = setTimeout(() => void look(), pause);
      again.unref();
      pause = Math.min(pause * 2, longestPause);
    },
  });

  async function look(): Promise<Result<PresenceDescription, TokenFailureCode>> {
    const read = toPresence(await client.request('presence.read', {}, readDeadline));
    if (!read.ok) return read;
    pause = firstPause;
    if (!same(current, read.value)) {
      current = read.value;
      for (const listener of listeners) listener();
    }
    return read;
  }

  async function end(): Promise<void> {
    following = false;
    clearTimeout(again);
    await client.close();
  }

  return {
    get current() {
      return current;
    },
    async refresh() {
      const read = await look();
      // Asked once, by a command line: no process stays behind for it.
      if (!following) await end();
      return read;
    },
    start() {
      if (following) return;
      following = true;
      void look();
    },
    async stop() {
      await end();
      current = undefined;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
