import { describe, expect, it } from 'vitest';
import type { AppView } from '../../electron/contract/views.ts';
import { createViewPublisher } from '../../electron/ipc/view-publisher.ts';

const view = (version: string): AppView => ({
  version,
  dataDirectory: '',
  locked: false,
  stores: [],
  tokens: [],
  presence: { state: 'looking', readers: [], usb: [], problems: [] },
  vaults: [],
  clusters: {
    state: 'ready',
    kubectl: { state: 'unknown', path: '', version: '', problem: null },
    contexts: [],
    problem: null,
  },
  pushes: [],
  runs: [],
  rehearsal: { state: 'none', progressText: '', progressFraction: -1, problem: null, storeId: '', vaultId: '' },
  settings: { theme: 'system', lockAfterMinutes: 15, operatorName: '' },
  notices: [],
  trayAvailable: true,
});

function rig(): {
  readonly publisher: ReturnType<typeof createViewPublisher>;
  readonly sent: { readonly at: number; readonly version: string }[];
  advance(milliseconds: number): void;
  set(version: string): void;
} {
  let now = 0;
  let version = 'a';
  const timers = new Map<number, () => void>();
  const sent: { readonly at: number; readonly version: string }[] = [];
  const publisher = createViewPublisher(
    () => view(version),
    (shown) => sent.push({ at: now, version: shown.version }),
    {
      now: () => now,
      setTimer: (callback, milliseconds) => {
        const due = now + milliseconds;
        timers.set(due, callback);
        return () => timers.delete(due);
      },
    },
  );
  return {
    publisher,
    sent,
    set: (next) => {
      version = next;
    },
    advance: (milliseconds) => {
      for (let step = 0; step < milliseconds; step += 1) {
        for (const [due, callback] of timers) {
          if (due > now) continue;
          timers.delete(due);
          callback();
        }
        now += 1;
      }
    },
  };
}

describe('the view publisher', () => {
  it('sends at most ten views a second, the last one included', () => {
    const { publisher, sent, advance, set } = rig();
    for (let change = 0; change < 1000; change += 1) {
      set(String(change));
      publisher.changed();
      advance(1);
    }
    advance(200);
    expect(sent.length).toBeLessThanOrEqual(12);
    for (const [index, { at }] of sent.entries())
      expect(at - (sent[index - 1]?.at ?? -100)).toBeGreaterThanOrEqual(100);
    expect(sent.at(-1)?.version).toBe('999');
  });

  it('sends nothing that is the same, unless a window has none yet', () => {
    const { publisher, sent, advance } = rig();
    publisher.changed();
    advance(200);
    publisher.changed();
    advance(200);
    expect(sent.length).toBe(1);
    publisher.renew();
    advance(200);
    expect(sent.length).toBe(2);
  });

  it('is silent once stopped', () => {
    const { publisher, sent, advance } = rig();
    publisher.changed();
    publisher.stop();
    advance(200);
    expect(sent).toEqual([]);
  });
});
