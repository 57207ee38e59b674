import { describe, expect, it } from 'vitest';
import type { HostLauncher, HostProcess } from '../../electron/hosts/host-process.ts';
import { oneStartATurn } from '../../electron/hosts/one-start-a-turn.ts';

function rig() {
  const started: string[] = [];
  const told: string[] = [];
  const exits = new Map<string, (code: number | null) => void>();
  let turns: (() => void)[] = [];
  const launch: HostLauncher = (entry, [name = entry]): HostProcess => {
    started.push(name);
    return {
      pid: 1,
      postMessage: (message) => void told.push(`${name} ${String(message)}`),
      onMessage: (listener) => listener(`from ${name}`),
      onExit: (listener) => void exits.set(name, listener),
      kill: () => void told.push(`${name} killed`),
    };
  };
  return {
    started,
    told,
    exits,
    launch: oneStartATurn(launch, (callback) => void turns.push(callback)),
    turn: () => {
      const due = turns;
      turns = [];
      for (const callback of due) callback();
    },
  };
}

const start = (launch: HostLauncher, name: string): HostProcess => launch('token-host', [name], {});

describe('one start a turn', () => {
  it('starts the first at once and each further one in a turn of its own, in order', () => {
    const { launch, started, turn } = rig();
    for (const name of ['a', 'b', 'c']) start(launch, name);
    expect(started).toEqual(['a']);
    turn();
    expect(started).toEqual(['a', 'b']);
    start(launch, 'd');
    turn();
    expect(started).toEqual(['a', 'b', 'c']);
    turn();
    turn();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    start(launch, 'e');
    expect(started).toHaveLength(5);
  });

  it('passes on what a process was told and who listens to it before it was started', () => {
    const { launch, told, exits, turn } = rig();
    start(launch, 'a');
    const later = start(launch, 'b');
    const heard: unknown[] = [];
    later.onMessage((message) => void heard.push(message));
    later.onExit((code) => void heard.push(code));
    later.postMessage('first');
    expect(later.pid).toBe(undefined);
    turn();
    expect(later.pid).toBe(1);
    later.postMessage('second');
    exits.get('b')?.(7);
    expect(told).toEqual(['b first', 'b second']);
    expect(heard).toEqual(['from b', 7]);
    later.kill();
    expect(told).toContain('b killed');
  });

  it('never starts a process that was killed before its turn, and says that it has ended', () => {
    const { launch, started, turn } = rig();
    start(launch, 'a');
    const later = start(launch, 'b');
    const ends: unknown[] = [];
    later.onExit((code) => void ends.push(code));
    later.kill();
    later.kill();
    later.onExit((code) => void ends.push(code));
    turn();
    turn();
    expect(started).toEqual(['a']);
    expect(ends).toEqual([null, null]);
  });
});
