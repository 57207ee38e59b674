import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropRefusedVariables, findRefusedSwitch } from '../../electron/security/command-line.ts';

const opening = [
  '--remote-debugging-port=9222',
  '--remote-debugging-port',
  '--remote-debugging-pipe',
  '--inspect',
  '--inspect=0',
  '--inspect-brk',
  '--inspect-port=1',
  '--no-sandbox',
  '-no-sandbox',
  '--disable-setuid-sandbox',
  '--disable-web-security',
  '--load-extension=/tmp/x',
  '--js-flags=--expose-gc',
  '--host-rules=MAP * 127.0.0.1',
  '--enable-logging',
  '--log-net-log=/tmp/x',
  '--renderer-cmd-prefix=gdb',
  '--gpu-launcher=gdb',
  '--utility-cmd-prefix=gdb',
  '--single-process',
  '--REMOTE-DEBUGGING-PORT=1',
  '-r/tmp/x.js',
];

describe('the command line', () => {
  it.each(opening)('refuses %s in the shipped app', (argument) => {
    expect(findRefusedSwitch(['--hidden', argument], { testPackage: false })).toMatch(/^--/u);
  });

  it('takes its own switches, and paths', () => {
    const own = ['--hidden', '--user-data-dir=/home/a/profile', '--ozone-platform-hint=auto', '/some/file', '--'];
    expect(findRefusedSwitch(own, { testPackage: false })).toBe(undefined);
  });

  it('lets the test package be driven, and nothing more', () => {
    expect(findRefusedSwitch(['--inspect=0', '--remote-debugging-port=0'], { testPackage: true })).toBe(undefined);
    for (const argument of ['--no-sandbox', '--disable-web-security', '--js-flags=x', '--remote-debugging-pipe']) {
      expect(findRefusedSwitch([argument], { testPackage: true })).toMatch(/^--/u);
    }
  });

  it('repeats no value of a refused switch', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (value) => {
        const refused = findRefusedSwitch([`--js-flags=${value}`], { testPackage: false });
        expect(refused).toBe('--js-flags');
      }),
    );
  });

  it('drops the variables that do the same', () => {
    const environment: Record<string, string | undefined> = {
      NODE_OPTIONS: '--require x',
      PATH: '/bin',
      SSLKEYLOGFILE: '/tmp/k',
    };
    dropRefusedVariables(environment);
    expect(environment).toEqual({ PATH: '/bin' });
  });
});
