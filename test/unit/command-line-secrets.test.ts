import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createLineEditor } from '../../electron/command-line/line-editor.ts';
import { printable } from '../../electron/command-line/printable.ts';
import { findSecretArgument } from '../../electron/command-line/refuse-secrets.ts';
import { openSecretLines } from '../../electron/command-line/secret-lines.ts';

const testPin = 'test-pin-4711';

describe('arguments that look like a secret', () => {
  it.each([
    ['--pin', testPin],
    [`--pin=${testPin}`],
    [`--pin${testPin}`],
    ['-pin', testPin],
    ['--so-pin', testPin],
    ['--SO-PIN', testPin],
    ['--user-pin', testPin],
    ['--new-pin', testPin],
    ['--password', testPin],
    ['--passphrase', testPin],
    ['--share', 'ab'.repeat(33)],
    ['--key-share', 'ab'.repeat(33)],
    ['--unseal-key=00'],
  ])('refuses %s without repeating what it said', (...argumentList) => {
    const error = findSecretArgument(['token', 'init', ...argumentList]);
    expect(error?.code).toBe('App_BadRequest');
    expect(`${error?.message ?? ''} ${error?.next ?? ''}`).not.toContain(testPin);
    expect(error?.next).toContain('--pin-fd');
  });

  it.each([
    ['--pin-fd', '3'],
    ['--so-pin-fd=4'],
    ['--share-fd', '5'],
    ['--shares', '5', '--share-to', 'token'],
    ['--pin-certificate', '00'.repeat(32)],
    ['--root-token', 'revoked', '--key-label', 'bank-vaults'],
    ['--name', 'pin'],
  ])('lets %s pass', (...argumentList) => {
    expect(findSecretArgument(['vault', 'init', ...argumentList])).toBeUndefined();
  });
});

describe('a line typed in raw mode', () => {
  const type = (text: string | Uint8Array): { state: string; line: string; length: number } => {
    const editor = createLineEditor(64);
    let state = 'open';
    for (const byte of typeof text === 'string' ? new TextEncoder().encode(text) : text) {
      state = editor.feed(byte);
      if (state !== 'open') break;
    }
    const { length } = editor;
    return { state, length, line: new TextDecoder().decode(editor.take()) };
  };

  it('ends with Enter', () => {
    expect(type(`${testPin}\r`)).toMatchObject({ state: 'entered', line: testPin });
    expect(type(`${testPin}\n`)).toMatchObject({ state: 'entered', line: testPin });
  });
  it('takes back whole characters and the whole line', () => {
    expect(type('aé\u007fb\r').line).toBe('ab');
    expect(type('€\u007f\u007f\u007fx\r').line).toBe('x');
    expect(type('wrong\u0015right\r').line).toBe('right');
  });
  it('is cancelled by Ctrl-C at any time and by Ctrl-D when empty', () => {
    expect(type('12\u0003').state).toBe('cancelled');
    expect(type('\u0004').state).toBe('cancelled');
    expect(type('12\u00043\r').line).toBe('123');
  });
  it('passes over arrow keys, function keys and bracketed paste marks', () => {
    expect(type('\u001b[A12\u001b[1;5C\u001bOP34\u001b[200~56\u001b[201~\r').line).toBe('123456');
  });
  it('never grows beyond its capacity, whatever is typed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const editor = createLineEditor(64);
        for (const byte of bytes) editor.feed(byte);
        expect(editor.length).toBeLessThanOrEqual(64);
        const line = editor.take();
        expect(line.length).toBeLessThanOrEqual(64);
        expect(editor.length).toBe(0);
      }),
    );
  });
  it('says when more was typed than fits', () => {
    const editor = createLineEditor(4);
    for (const byte of new TextEncoder().encode('12345')) editor.feed(byte);
    expect(editor.overflowed).toBe(true);
  });
});

describe('secrets from a file descriptor', () => {
  const paths: string[] = [];
  const descriptors: number[] = [];
  const open = (content: string): number => {
    const path = join(tmpdir(), `custodian-lines-${randomUUID()}`);
    writeFileSync(path, content, { mode: 0o600 });
    const descriptor = openSync(path, 'r');
    paths.push(path);
    descriptors.push(descriptor);
    return descriptor;
  };
  afterEach(() => {
    for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
    for (const path of paths.splice(0)) rmSync(path);
  });
  const text = (line: Awaited<ReturnType<ReturnType<typeof openSecretLines>['next']>>): string =>
    line.kind === 'line' ? new TextDecoder().decode(line.bytes) : line.kind;

  it('gives one line for each ask, in order, even when asked at once', async () => {
    const lines = openSecretLines(open(`first\n${testPin}\r\nlast`));
    const answers = await Promise.all([lines.next(), lines.next(), lines.next(), lines.next()]);
    expect(answers.map(text)).toEqual(['first', testPin, 'last', 'ended']);
  });
  it('takes bytes that are no UTF-8 as they are', async () => {
    const path = join(tmpdir(), `custodian-lines-${randomUUID()}`);
    writeFileSync(path, Buffer.from([0xff, 0x00, 0xc3, 0x0a]));
    paths.push(path);
    const descriptor = openSync(path, 'r');
    descriptors.push(descriptor);
    const line = await openSecretLines(descriptor).next();
    expect(line).toEqual({ kind: 'line', bytes: Uint8Array.of(0xff, 0x00, 0xc3) });
  });
  it('answers an empty line, one that is too long, and a descriptor that is not open', async () => {
    const lines = openSecretLines(open(`\n${'9'.repeat(2000)}\nok\n`));
    expect(text(await lines.next())).toBe('');
    expect((await lines.next()).kind).toBe('too-long');
    expect(text(await lines.next())).toBe('ok');
    expect(await openSecretLines(987).next()).toEqual({ kind: 'unreadable', code: 'EBADF' });
  });
});

describe('text from a token or a server', () => {
  it('cannot move the cursor or turn the writing direction', () => {
    expect(printable('a\u001b[2Jb\nc\u202ed')).toBe('a\ufffd[2Jb\ufffdc\ufffdd');
    expect(printable('Müller 钥匙 🔑')).toBe('Müller 钥匙 🔑');
  });
});
