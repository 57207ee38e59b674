import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AppView } from '../../electron/contract/views.ts';
import type { Bridge } from '../../renderer/bridge/bridge.ts';
import { mirrorView, useApp } from '../../renderer/stores/app-store.ts';
import { parsePath, paths } from '../../renderer/stores/navigation-store.ts';
import { changesToAnnounce } from '../../renderer/views/announcements.ts';
import { evidenceNames } from '../../electron/workflows/evidence-names.ts';
import { evidenceLines, evidenceName, shareProgress } from '../../renderer/views/evidence.ts';
import { conditionOf, glanceAt, rehearsalPath } from '../../renderer/views/glance.ts';
import { appView, runView, stepView, vaultView } from './renderer-views.ts';

describe('what the window says at a glance', () => {
  it('names what is sealed, what waits and what was done last', () => {
    const glance = glanceAt(
      appView({
        vaults: [vaultView('sealed'), vaultView('unsealed')],
        runs: [
          runView({ id: 'a', status: 'completed', endedAt: '2026-11-20T10:00:00Z' }),
          runView({ id: 'b', status: 'completed', endedAt: '2026-11-21T10:00:00Z' }),
          runView({ id: 'c' }),
          runView({ id: 'd', busy: true }),
        ],
      }),
    );
    expect(glance.sealed.map((vault) => vault.name)).toEqual(['sealed']);
    expect(glance.ended.map((run) => run.id)).toEqual(['b', 'a']);
    expect(glance.waiting.map((run) => run.id)).toEqual(['c']);
    expect(glance.waits).toBe(2);
    expect(glanceAt(appView()).nothingSetUp).toBe(true);
  });

  it('tells a run that failed from one that waits', () => {
    expect(conditionOf(runView({ steps: [stepView('one', 'failed')] }))).toBe('failed');
    expect(conditionOf(runView({ steps: [stepView('one', 'current')] }))).toBe('waiting');
    expect(conditionOf(runView({ busy: true, steps: [stepView('one', 'failed')] }))).toBe('working');
  });

  it('leads through a rehearsal in order', () => {
    const states = (view: AppView): readonly string[] => rehearsalPath(view).map((part) => part.state);
    const setup = runView({ id: 'a', workflow: 'token-setup', rehearsal: true, status: 'completed' });
    expect(states(appView())).toEqual(['next', 'later', 'later']);
    expect(states(appView({ runs: [setup] }))).toEqual(['done', 'next', 'later']);
    expect(states(appView({ runs: [setup, runView({ workflow: 'vault-init', rehearsal: true })] }))).toEqual([
      'done',
      'open',
      'later',
    ]);
    expect(states(appView({ runs: [{ ...setup, rehearsal: false }] }))).toEqual(['next', 'later', 'later']);
  });

  it('shows evidence in words, hashes and PGP words', () => {
    const lines = evidenceLines({
      evidence: { publicKeySha256: 'ab'.repeat(32), publicKeyWords: 'topmost Istanbul', revoked: true, empty: '' },
    });
    expect(lines.map((line) => line.kind)).toEqual(['hash', 'words', 'plain']);
    expect(lines[2]?.value).toBe('yes');
    expect(evidenceName('someNewField')).toBe('Some new field');
    // The window calls nothing by another name than the transcript, which lies beside it when they are compared.
    for (const [field, name] of Object.entries(evidenceNames)) expect(evidenceName(field)).toBe(name);
  });

  it('draws as many shares as were presented, all of them once open', () => {
    const steps = [stepView('read', 'done', { threshold: 3, progress: 1 }), stepView('typed', 'done', { progress: 2 })];
    expect(shareProgress(runView({ steps }))).toEqual({ progress: 2, threshold: 3 });
    expect(shareProgress(runView({ steps, status: 'completed' }))).toEqual({ progress: 3, threshold: 3 });
    expect(shareProgress(runView({}))).toBeUndefined();
  });

  it('announces changes of state only', () => {
    const before = appView({
      vaults: [vaultView('unsealed')],
      runs: [runView({ steps: [stepView('one', 'working')] })],
    });
    const after = appView({
      vaults: [{ ...vaultView('sealed'), id: 'vault-unsealed' }],
      runs: [runView({ steps: [stepView('one', 'done')] })],
    });
    expect(changesToAnnounce(before, before)).toEqual([]);
    expect(changesToAnnounce(before, after)).toEqual(['sealed: Sealed', 'one: Done']);
  });

  it('reads back every path that it makes', () => {
    expect(parsePath(paths.vault('a/b'))).toEqual({ page: 'vault', vaultId: 'a/b' });
    expect(parsePath(paths.run('r'))).toEqual({ page: 'run', runId: 'r' });
    expect(parsePath(paths.tokenSetup('softhsm', 4))).toEqual({
      page: 'plan-token-setup',
      storeId: 'softhsm',
      slotId: '4',
    });
    expect(parsePath('/nowhere/%')).toEqual({ page: 'home' });
  });
});

describe('the store that mirrors the view', () => {
  afterEach(() => {
    useApp.setState({ view: undefined, problem: undefined });
  });

  function bridgeWith(first: Promise<AppView>): { readonly bridge: Bridge; readonly send: (view: AppView) => void } {
    const listeners: ((view: never) => void)[] = [];
    const bridge: Bridge = {
      call: () => first.then((value) => ({ ok: true, value: value as never })),
      on: (_name, listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    };
    return {
      bridge,
      send: (view) => {
        for (const listener of listeners) listener(view as never);
      },
    };
  }

  it('asks once and then follows', async () => {
    const { bridge, send } = bridgeWith(Promise.resolve(appView({ version: '1' })));
    mirrorView(bridge);
    await vi.waitFor(() => {
      expect(useApp.getState().view?.version).toBe('1');
    });
    send(appView({ version: '2' }));
    expect(useApp.getState().view?.version).toBe('2');
  });

  it('keeps a change that came before the first answer', async () => {
    let answer: (view: AppView) => void = () => undefined;
    const { bridge, send } = bridgeWith(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    mirrorView(bridge);
    send(appView({ version: 'newer' }));
    answer(appView({ version: 'older' }));
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(useApp.getState().view?.version).toBe('newer');
  });
});
