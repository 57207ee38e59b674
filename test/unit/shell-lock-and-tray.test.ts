import { describe, expect, it } from 'vitest';
import type { VaultView } from '../../electron/contract/views.ts';
import { createLock } from '../../electron/shell/lock.ts';
import { toTrayModel, type TrayFacts } from '../../electron/shell/tray-model.ts';

function lockRig(minutes: number): {
  readonly lock: ReturnType<typeof createLock>;
  readonly events: string[];
  readonly facts: { now: number; systemIdle: number; screenLocked: boolean };
} {
  const facts = { now: 0, systemIdle: 0, screenLocked: false };
  const events: string[] = [];
  const lock = createLock(
    {
      systemIdleSeconds: () => facts.systemIdle,
      screenLocked: () => facts.screenLocked,
      lockAfterMinutes: () => minutes,
      now: () => facts.now,
    },
    async () => {
      events.push('secured');
    },
    (locked) => events.push(locked ? 'locked' : 'unlocked'),
  );
  return { lock, events, facts };
}

describe('the lock', () => {
  it('locks after the idle time of the system or of the app, and not before', () => {
    const { lock, facts, events } = lockRig(10);
    facts.now = 9 * 60_000;
    lock.check();
    expect(lock.locked).toBe(false);
    lock.noteActivity();
    facts.now = 18 * 60_000;
    lock.check();
    expect(lock.locked).toBe(false);
    facts.systemIdle = 600;
    lock.check();
    expect(lock.locked).toBe(true);
    expect(events).toEqual(['locked', 'secured']);
  });

  it('locks with the screen, empties the view before the hosts have ended, and secures once', async () => {
    const { lock, facts, events } = lockRig(240);
    facts.screenLocked = true;
    lock.check();
    lock.check();
    await lock.lock();
    expect(events).toEqual(['locked', 'secured']);
    lock.unlock();
    expect(lock.locked).toBe(false);
    expect(events).toEqual(['locked', 'secured', 'unlocked']);
  });
});

const vault = (name: string, state: VaultView['state']): VaultView => ({
  id: `vault-${name}`,
  name,
  rehearsal: false,
  trust: { kind: 'system' },
  nodes: [],
  state,
  tokenSerial: '',
  tokenStoreId: '',
  keyLabel: '',
  secret: null,
});

const facts = (vaults: readonly VaultView[], rehearsal: TrayFacts['rehearsal']['state'] = 'none'): TrayFacts => ({
  vaults: [...vaults],
  locked: false,
  rehearsal: { state: rehearsal, progressText: '', progressFraction: -1, problem: null, storeId: '', vaultId: '' },
});

describe('the tray', () => {
  it('shows the worst state first, and offers to unseal what is sealed', () => {
    const model = toTrayModel(facts([vault('a', 'unsealed'), vault('b & c', 'sealed'), vault('d', 'unreachable')]));
    expect(model.icon).toBe('sealed');
    expect(model.tooltip).toContain('b & c');
    const labels = model.items.flatMap((item) => (item.kind === 'separator' ? [] : [item.label]));
    expect(labels).toContain('a: unsealed');
    expect(labels).toContain('Unseal b && c…');
    expect(labels).not.toContain('Unseal a…');
  });

  it('is calm when nothing is sealed, unknown when something cannot be reached or is not known yet', () => {
    expect(toTrayModel(facts([])).icon).toBe('calm');
    expect(toTrayModel(facts([vault('a', 'unsealed')])).icon).toBe('calm');
    expect(toTrayModel(facts([vault('a', 'unreachable')])).icon).toBe('unknown');
    expect(toTrayModel(undefined).icon).toBe('unknown');
  });

  it('offers to throw a rehearsal away only when there is one', () => {
    const actions = (state: TrayFacts['rehearsal']['state']): readonly string[] =>
      toTrayModel(facts([], state)).items.flatMap((item) => (item.kind === 'action' ? [item.action.kind] : []));
    expect(actions('none')).toContain('start-rehearsal');
    expect(actions('ready')).toContain('discard-rehearsal');
    expect(actions('ready')).not.toContain('start-rehearsal');
  });
});
