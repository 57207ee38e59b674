import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPageFile } from '../../electron/shell/page-files.ts';

describe('app:// addresses', () => {
  it('name the page of their host and its assets', () => {
    expect(findPageFile('main', 'app://main/')).toEqual({ path: 'index.html', mimeType: 'text/html; charset=utf-8' });
    expect(findPageFile('prompt', 'app://prompt/')?.path).toBe('prompt.html');
    expect(findPageFile('main', 'app://main/assets/index-Ab_1.js')).toEqual({
      path: 'assets/index-Ab_1.js',
      mimeType: 'text/javascript; charset=utf-8',
    });
  });

  it.each([
    'app://prompt/',
    'app://main/prompt.html',
    'app://main/../main/main.cjs',
    'app://main/assets/../index.html/x',
    'app://main/assets/%2e%2e/%2e%2e/main/main.cjs',
    'app://main/assets/..%2fpackage.json',
    'app://main/assets/.hidden.js',
    'app://main/assets/a/b.js',
    'app://main/assets/a.json',
    'app://main/assets/a.cjs',
    'app://main/assets/a.html',
    'app://main//etc/passwd',
    'app://main/%00',
    'app://main:1/',
    'app://user@main/',
    'app://main.evil/',
    'file:///etc/passwd',
    'https://main/',
    '',
  ])('%s is nothing for the main window', (address) => {
    expect(findPageFile('main', address)).toBe(undefined);
  });

  it('never leave the folder of the pages', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('..', '.', '/', '%2f', '%2e', '\\', 'assets', 'a.js', 'index.html', '%00', '//')),
        (parts) => {
          const file = findPageFile('main', `app://main/${parts.join('')}`);
          if (file !== undefined) expect(file.path).toMatch(/^(?:index\.html|assets\/[A-Za-z0-9_-][A-Za-z0-9._-]*)$/u);
        },
      ),
    );
  });
});
