/** What the packaged app lets a window do, seen from inside the window and from main. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { channelNames, exposedNames, promptChannelNames } from '../../electron/contract/channel-names.ts';
import { setUpToken, startRehearsal } from './contract-calls.ts';
import { sendRandomMessages } from './random-messages.ts';
import {
  launchApp,
  makeAppHome,
  shippedExecutable,
  shippedPackageDirectory,
  type LaunchedApp,
} from './launch/launch-app.ts';

test.describe('the main window', () => {
  let app: LaunchedApp;
  let page: Page;

  test.beforeAll(async () => {
    app = await launchApp();
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
  });

  test('is isolated: no Node, no Electron, the contract alone', async () => {
    const seen = await page.evaluate(() => ({
      process: typeof Reflect.get(window, 'process'),
      require: typeof Reflect.get(window, 'require'),
      bridge: Object.keys(Reflect.get(window, 'custodian') as object).sort(),
      prompt: typeof Reflect.get(window, 'custodianPrompt'),
      frozen: Object.isFrozen(Reflect.get(window, 'custodian')),
      secure: window.isSecureContext,
      origin: window.location.origin,
    }));
    expect(seen).toEqual({
      process: 'undefined',
      require: 'undefined',
      bridge: ['call', 'on'],
      prompt: 'undefined',
      frozen: true,
      secure: true,
      origin: 'app://main',
    });
  });

  test('is sandboxed by the operating system, without a switch against it', async () => {
    const renderers = await app.inMain(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.webContents.getOSProcessId()),
    );
    const { readFile } = await import('node:fs/promises');
    expect(renderers.length).toBe(1);
    for (const id of renderers) {
      const status = await readFile(`/proc/${String(id)}/status`, 'utf8');
      // Seccomp mode 2 is a filter; NoNewPrivs cannot be undone.
      expect(status).toMatch(/^Seccomp:\s+2$/mu);
      expect(status).toMatch(/^NoNewPrivs:\s+1$/mu);
      expect(await readFile(`/proc/${String(id)}/cmdline`, 'utf8')).not.toContain('--no-sandbox');
    }
  });

  test('obeys its content security policy', async () => {
    const outcome = await page.evaluate(async () => {
      const violated = new Set<string>();
      document.addEventListener('securitypolicyviolation', (event) => violated.add(event.effectiveDirective));
      const attempt = (act: () => unknown): string => {
        try {
          act();
          return 'allowed';
        } catch (cause) {
          return cause instanceof Error ? cause.name : 'refused';
        }
      };
      // Outside the debugger's own evaluation, which the policy does not bind.
      const later = (act: () => unknown): Promise<string> =>
        new Promise((settle) => setTimeout(() => settle(attempt(act)), 0));
      const evaluated = await later(() => Reflect.construct(Function, ['return 1']));
      const markup = await later(() => {
        document.createElement('div').innerHTML = '<b>x</b>';
      });
      const style = document.createElement('style');
      style.textContent = 'body { color: red }';
      document.head.append(style);
      const frame = document.createElement('iframe');
      frame.src = 'https://example.org/';
      document.body.append(frame);
      const fetched = await fetch('https://127.0.0.1:8200/v1/sys/seal-status').then(
        () => 'reached',
        () => 'refused',
      );
      const ownFetch = await fetch('app://main/').then(
        () => 'reached',
        () => 'refused',
      );
      await new Promise((settle) => setTimeout(settle, 300));
      style.remove();
      frame.remove();
      return { evaluated, markup, fetched, ownFetch, violated: [...violated].sort() };
    });
    expect(outcome).toMatchObject({
      evaluated: 'EvalError',
      markup: 'TypeError',
      fetched: 'refused',
      ownFetch: 'refused',
    });
    expect(outcome.violated).toEqual(expect.arrayContaining(['connect-src', 'frame-src', 'style-src-elem']));
  });

  test('goes nowhere and opens nothing', async () => {
    const opened = await page.evaluate(() => window.open('https://example.org/') === null);
    expect(opened).toBe(true);
    for (const address of [
      'https://example.org/',
      'file:///etc/passwd',
      'app://prompt/',
      'data:text/html,x',
      'javascript:void(document.title="x")',
    ]) {
      await page.evaluate((target) => {
        const link = document.createElement('a');
        link.href = target;
        document.body.append(link);
        link.click();
        link.remove();
      }, address);
    }
    await page.waitForTimeout(500);
    expect(new URL(page.url()).host).toBe('main');
    expect(app.application.windows().length).toBe(1);
  });

  test('has no permission', async () => {
    const states = await page.evaluate(async () => {
      const names = ['geolocation', 'notifications', 'camera', 'microphone', 'clipboard-read', 'midi'] as const;
      const answers: Record<string, string> = {};
      for (const name of names) {
        answers[name] = await navigator.permissions.query({ name: name as PermissionName }).then(
          (status) => status.state,
          () => 'unknown',
        );
      }
      answers['getUserMedia'] = await navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => 'granted',
        () => 'denied',
      );
      return answers;
    });
    for (const state of Object.values(states)) expect(['denied', 'unknown']).toContain(state);
  });

  test('has no developer tools and keeps nothing on disk', async () => {
    const facts = await app.inMain(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0];
      window?.webContents.openDevTools();
      return {
        devTools: window?.webContents.isDevToolsOpened(),
        persistent: window?.webContents.session.isPersistent(),
        storage: window?.webContents.session.storagePath,
      };
    });
    expect(facts).toEqual({ devTools: false, persistent: false, storage: null });
  });

  test('reaches the prompt channels with no message', async () => {
    const answers = await page.evaluate(async () => {
      const bridge = Reflect.get(window, 'custodian') as { call(name: string, request: unknown): Promise<unknown> };
      return Promise.all(
        ['prompt.get', 'prompt.cancel', 'custodian-prompt:prompt.get', '../prompt.get'].map((name) =>
          bridge.call(name, {}),
        ),
      );
    });
    for (const answer of answers) expect(answer).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
  });

  test('cannot bring main down with 10,000 random messages a channel', async () => {
    // Messages that would open a system dialog or lock are well formed only when they are empty objects; none of these is.
    for (const name of [...channelNames].sort()) {
      const codes = await sendRandomMessages(page, exposedNames.main, name);
      expect({ name, codes }).toEqual({ name, codes: [['App_BadRequest', 10_000]] });
    }
    expect(await page.evaluate(() => document.title)).not.toBe('');
  });
});

test('the prompt cannot bring main down with 10,000 random messages a channel, and takes its PIN afterwards', async () => {
  const app = await launchApp();
  try {
    const page = await app.window('app://main');
    await startRehearsal(page);
    const setUp = setUpToken(app, page, 'rehearsal', 'fuzzed', {
      pin: 'fuzz-test-pin-2711',
      soPin: 'fuzz-test-so-pin-2711',
      beforeFirst: async (prompt) => {
        for (const name of [...promptChannelNames].sort()) {
          const codes = await sendRandomMessages(prompt, exposedNames.prompt, name);
          expect({ name, codes }).toEqual({ name, codes: [['App_BadRequest', 10_000]] });
        }
        // The other window's channels are not there, under whatever name.
        const foreign = await prompt.evaluate(async () => {
          const bridge = Reflect.get(window, 'custodianPrompt') as {
            call(name: string, request: unknown): Promise<unknown>;
          };
          return Promise.all(['view.get', 'app.lock', 'custodian:view.get'].map((name) => bridge.call(name, {})));
        });
        for (const answer of foreign) expect(answer).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
      },
    });
    expect((await setUp).initialized).toBe(true);
  } finally {
    await app.close();
  }
});

test.describe('the shipped package', () => {
  const run = async (argument: string): Promise<{ readonly code: number | null; readonly output: string }> => {
    const home = await makeAppHome();
    const child = spawn(shippedExecutable, [`--user-data-dir=${home.userDataDirectory}`, argument], {
      env: { ...home.environment },
      cwd: home.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const code = await new Promise<number | null>((settle) => child.once('close', settle));
    clearTimeout(timer);
    await home.remove();
    return { code, output };
  };

  for (const argument of [
    '--remote-debugging-port=0',
    '--remote-debugging-pipe',
    '--inspect=0',
    '--no-sandbox',
    '--disable-web-security',
    '--js-flags=--expose-gc',
  ]) {
    test(`does not start with ${argument}`, async () => {
      expect(existsSync(shippedExecutable)).toBe(true);
      const { code, output } = await run(argument);
      expect(code).toBe(64);
      expect(output).toContain('does not start with');
      expect(output).not.toMatch(/listening on ws:/u);
    });
  }

  test('carries the licences of what is in it, for the app and for the command line', async () => {
    const resources = join(shippedPackageDirectory, 'resources');
    // Neither is compressed.
    for (const place of ['app.asar', 'command-line/out/main/third-party-notices.txt']) {
      const content = await readFile(join(resources, place), 'utf8');
      expect(content).toContain('Key Custodian contains parts of these packages, each under its own licence.');
      for (const name of ['openpgp', 'react', 'zod']) expect(content).toMatch(new RegExp(`\\n${name} \\d`, 'u'));
    }
  });
});
