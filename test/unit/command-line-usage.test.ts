import { describe, expect, it } from 'vitest';
import { readFrom, readRootToken, readShareTo } from '../../electron/command-line/destinations.ts';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { judge, readHead } from '../../electron/command-line/journal-commands.ts';
import { createProgress } from '../../electron/command-line/progress.ts';
import { createStyle } from '../../electron/command-line/style.ts';
import { tableLines } from '../../electron/command-line/table.ts';
import { durationText, timeText } from '../../electron/command-line/transcript-text.ts';
import { newVault } from '../../electron/command-line/chosen-vault.ts';
import { pgpWordsOfHex } from '../../electron/workflows/pgp-words.ts';

describe('where shares go and come from', () => {
  it.each([
    ['token', { kind: 'token' }],
    ['pgp:/keys/ada.asc:Ada Lovelace', { kind: 'pgp', path: '/keys/ada.asc', custodian: 'Ada Lovelace' }],
    ['pgp:/a:b/ada.asc:Ada', { kind: 'pgp', path: '/a:b/ada.asc', custodian: 'Ada' }],
    ['shown:Grace', { kind: 'shown', custodian: 'Grace' }],
  ])('reads --share-to %s', (text, written) => {
    expect(readShareTo(text)).toEqual({ ok: true, value: written });
  });
  it.each(['', 'pgp:', 'pgp:file', 'pgp:file:', 'shown:', 'shown', 'file:x', 'revoked', 'ab'.repeat(33)])(
    'refuses --share-to “%s” without repeating it',
    (text) => {
      const read = readShareTo(text);
      expect(read).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
      if (text.length > 20) expect(JSON.stringify(read)).not.toContain(text);
    },
  );
  it('reads where the root token goes and where shares come from', () => {
    expect(readRootToken('revoked')).toMatchObject({ ok: true });
    expect(readRootToken('hvs.test')).toMatchObject({ ok: false });
    expect(readFrom('typed')).toEqual({ ok: true, value: { kind: 'typed', custodian: '' } });
    expect(readFrom('typed:Ada')).toEqual({ ok: true, value: { kind: 'typed', custodian: 'Ada' } });
    expect(readFrom('pgp:/x/y.asc')).toEqual({ ok: true, value: { kind: 'pgp', path: '/x/y.asc', custodian: '' } });
    expect(readFrom('shown:Ada')).toMatchObject({ ok: false });
  });
});

describe('a server by its address', () => {
  it('takes one address, one kind of trust', () => {
    expect(newVault({ address: ['https://vault:8200/'] })).toMatchObject({
      ok: true,
      value: { addresses: ['https://vault:8200'], name: 'vault:8200', trust: { kind: 'system' } },
    });
    expect(newVault({ address: ['https://v:1'], caFile: 'a', pinCertificate: '0'.repeat(64) })).toMatchObject({
      ok: false,
    });
    expect(newVault({ address: ['ftp://v'] })).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
    expect(newVault({ address: [] })).toMatchObject({ ok: false });
  });
});

describe('the head of a journal as it was noted', () => {
  const head = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  it('is read as words, with any separators and case, or as hex', () => {
    const words = pgpWordsOfHex(head);
    expect(readHead(words.join(' '))).toEqual({ ok: true, value: head });
    expect(readHead(`  ${words.join(',\n').toUpperCase()} `)).toEqual({ ok: true, value: head });
    expect(readHead(head.toUpperCase())).toEqual({ ok: true, value: head });
  });
  it('is refused when a word is missing, swapped or unknown', () => {
    const words = [...pgpWordsOfHex(head)];
    expect(readHead(words.slice(1).join(' '))).toMatchObject({ ok: false });
    expect(readHead([words[1], words[0], ...words.slice(2)].join(' '))).toMatchObject({ ok: false });
    expect(readHead(['nonsense', ...words.slice(1)].join(' '))).toMatchObject({ ok: false });
  });
});

describe('the judgement of a journal', () => {
  const options = { unfinished: false, path: 'journal.jsonl', style: createStyle(false) };
  const whole = { intact: true, records: 3, complete: true, head: '', headWords: [], problems: [] };
  it('ends with 0 only for a whole journal, or one that reaches the noted head', () => {
    expect(judge(whole, 'not-asked', options).kind).toBe('done');
    expect(judge({ ...whole, complete: false }, 'not-asked', options)).toMatchObject({
      kind: 'failed',
      exitCode: exitCodes.failure,
    });
    expect(judge({ ...whole, complete: false }, 'not-asked', { ...options, unfinished: true }).kind).toBe('done');
    expect(judge({ ...whole, complete: false }, 'last', options).kind).toBe('done');
    expect(judge(whole, 'absent', options)).toMatchObject({ kind: 'failed', exitCode: exitCodes.failure });
    expect(
      judge({ ...whole, intact: false, problems: ['Record 2 has been changed.'] }, 'not-asked', options),
    ).toMatchObject({
      kind: 'failed',
      error: { code: 'Custody_JournalDamaged' },
    });
  });
});

describe('text for a terminal', () => {
  it('lines columns up and makes cells safe', () => {
    expect(
      tableLines(
        ['A', 'LONG'],
        [
          ['x\u001b[2J', '1'],
          ['yyyyyyyyyy', '2'],
        ],
        createStyle(false),
      ),
    ).toEqual(['A           LONG', 'x\ufffd[2J       1', 'yyyyyyyyyy  2']);
  });
  it('names times and durations', () => {
    expect(timeText('2026-11-22T07:04:05.678Z')).toBe('2026-11-22 07:04:05 UTC');
    expect(durationText('2026-11-22T07:00:00.000Z', '2026-11-22T07:00:00.300Z')).toBe('0.3 s');
    expect(durationText('2026-11-22T07:00:00.000Z', '2026-11-22T07:02:05.900Z')).toBe('2 min 05 s');
    expect(durationText('', '')).toBe('');
  });
  it('writes plain lines where nothing can move, and nothing after its end', () => {
    let written = '';
    const progress = createProgress({
      write: (text) => {
        written += text;
      },
      style: createStyle(false),
      moving: false,
      columns: () => 80,
    });
    progress.begin('1/2 First');
    progress.change('Building 40 %');
    progress.change('Building 40 %');
    progress.done('1/2 First', '0.3 s');
    progress.end();
    progress.note('late');
    expect(written).toBe('  Building 40 %\n✓ 1/2 First  0.3 s\n');
  });
});
