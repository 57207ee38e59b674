import { describe, expect, it } from 'vitest';
import { createPresenceObserver, type PresenceObserver } from '../../electron/ipc/presence-observer.ts';
import type { PresenceDescription } from '../../electron/workflows/device-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { TokenDescription, TokenStore } from '../../electron/workflows/ports.ts';

const openSc: TokenStore = { id: 'opensc', name: 'OpenSC', modulePath: '/opensc-pkcs11.so', rehearsal: false };
const reader = 'Virtual PCD 00 00';
const empty: PresenceDescription = { pcsc: 'running', readers: [], usb: [], usbState: 'unavailable', holder: '' };
const withCard: PresenceDescription = { ...empty, readers: [{ name: reader, state: 'card' }] };

const token: TokenDescription = {
  storeId: 'opensc',
  slotId: 0,
  slotDescription: reader,
  initialized: true,
  label: '',
  reportedLabel: '',
  serial: 'DENK0100001',
  manufacturer: '',
  model: '',
  firmwareVersion: '',
  userPinSet: true,
  pinLengthMinimum: 6,
  pinLengthMaximum: 15,
  userPinState: 'ok',
  soPinState: 'ok',
  writeProtected: false,
  loggedIn: false,
};

interface Rig {
  readonly observer: PresenceObserver;
  readonly looks: () => number;
  readonly started: () => number;
  readonly stopped: () => number;
  /** Pauses of the further looks that are due. */
  readonly pauses: number[];
  tokens: readonly TokenDescription[];
  answers: boolean;
  change(to: PresenceDescription): Promise<void>;
  elapse(): Promise<void>;
}

const turn = (): Promise<void> => new Promise((settle) => setImmediate(settle));

function rig(): Rig {
  let current: PresenceDescription | undefined;
  let listener: () => void = () => undefined;
  let looks = 0;
  let started = 0;
  let stopped = 0;
  let due: (() => void) | undefined;
  const pauses: number[] = [];
  const observer = createPresenceObserver(
    {
      stores: () => [openSc],
      presence: {
        get current() {
          return current;
        },
        async refresh() {
          return made.answers
            ? success(current ?? empty)
            : failure('Device_PresenceUnavailable', 'No answer.', 'Refresh.');
        },
        start() {
          started += 1;
        },
        async stop() {
          stopped += 1;
          current = undefined;
        },
        subscribe(given) {
          listener = given;
          return () => undefined;
        },
      },
    },
    {
      observed: () => success(made.tokens),
      isBehindReaders: false,
      async refreshReaderStores() {
        looks += 1;
      },
    },
    () => undefined,
    (callback, milliseconds) => {
      pauses.push(milliseconds);
      due = callback;
      return () => {
        due = undefined;
      };
    },
  );
  const made: Rig = {
    observer,
    looks: () => looks,
    started: () => started,
    stopped: () => stopped,
    pauses,
    tokens: [],
    answers: true,
    async change(to) {
      current = to;
      listener();
      await turn();
    },
    async elapse() {
      const callback = due;
      due = undefined;
      callback?.();
      await turn();
    },
  };
  return made;
}

describe('the presence observer', () => {
  it('follows once however often it is started, and asks the modules when a reader changes', async () => {
    const made = rig();
    made.observer.start();
    made.observer.start();
    await turn();
    expect(made.started()).toBe(1);
    expect(made.looks()).toBe(0);
    await made.change(empty);
    expect(made.looks()).toBe(1);
    expect(made.observer.current).toMatchObject({ state: 'ready', isSettled: true });
  });

  it('asks again while the module does not list the card yet, with growing pauses, and then leaves it', async () => {
    const made = rig();
    made.observer.start();
    await made.change(withCard);
    expect(made.observer.current.isSettled).toBe(false);
    for (let further = 0; further < 20; further += 1) await made.elapse();
    expect(made.looks()).toBe(1 + made.pauses.length);
    expect([...made.pauses].sort((one, other) => one - other)).toEqual(made.pauses);
    expect(made.pauses.length).toBeLessThan(10);
    expect(made.observer.current.isSettled).toBe(true);
  });

  it('stops asking as soon as the module lists it', async () => {
    const made = rig();
    made.observer.start();
    await made.change(withCard);
    made.tokens = [token];
    await made.elapse();
    expect(made.looks()).toBe(2);
    expect(made.observer.current.isSettled).toBe(true);
    await made.elapse();
    expect(made.looks()).toBe(2);
  });

  it('says that nothing can be known where the helper process does not answer', async () => {
    const made = rig();
    made.answers = false;
    made.observer.start();
    await turn();
    expect(made.observer.current.state).toBe('unavailable');
  });

  it('knows nothing after it was stopped, and takes no late change in', async () => {
    const made = rig();
    made.observer.start();
    await made.change(withCard);
    await made.observer.stop();
    expect(made.stopped()).toBe(1);
    expect(made.observer.current).toEqual({ state: 'looking', description: undefined, isSettled: false });
    const before = made.looks();
    await made.elapse();
    await made.change(withCard);
    expect(made.looks()).toBe(before);
  });
});
