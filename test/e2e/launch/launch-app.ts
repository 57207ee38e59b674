/**
 * Starts the packaged app as a person would, for Playwright: sandbox on, as an ordinary user, on the display
 * that `build/run-as-user.mjs` gave. The test package is the shipped one save for its inspect fuse.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Electron from 'electron';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';

const projectRoot = join(import.meta.dirname, '..', '..', '..');
const packagesDirectory = process.env['KEY_CUSTODIAN_TEST_DIST'] ?? join(projectRoot, 'dist');

/** What is shipped: no debugging switch works on it. */
export const shippedPackageDirectory = join(packagesDirectory, 'linux-unpacked');
/** The same with the inspect fuse on. */
export const testPackageDirectory = join(packagesDirectory, 'test', 'linux-unpacked');
export const shippedExecutable = join(shippedPackageDirectory, 'key-custodian');
export const testExecutable = join(testPackageDirectory, 'key-custodian');
/** Screenshots and traces that outlive the test run. */
export const testOutDirectory = process.env['KEY_CUSTODIAN_TEST_OUT'] ?? join(projectRoot, 'test', 'out');

/** A home of its own for one app: settings, journals, tokens, cache and Electron's profile. */
export interface AppHome {
  readonly directory: string;
  /** Electron's profile (`--user-data-dir`). */
  readonly userDataDirectory: string;
  /** Where the app keeps journals, settings and escrow. */
  readonly dataDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

const inheritedVariables = [
  'PATH',
  'LANG',
  'TMPDIR',
  'DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'VAULT_BIN',
  'BAO_BIN',
] as const;

/** Makes an empty home under the temporary directory: two tests never share one. */
export async function makeAppHome(): Promise<AppHome> {
  const directory = await mkdtemp(join(tmpdir(), 'kc-e2e-'));
  const environment: Record<string, string> = {
    HOME: directory,
    XDG_DATA_HOME: join(directory, 'data'),
    XDG_CONFIG_HOME: join(directory, 'config'),
    XDG_CACHE_HOME: join(directory, 'cache'),
  };
  for (const name of inheritedVariables) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return {
    directory,
    userDataDirectory: join(directory, 'profile'),
    dataDirectory: join(directory, 'profile', 'custody'),
    environment,
    remove: () => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  };
}

export interface LaunchOptions {
  /** From an earlier launch, to start the app again on what it kept; a new one otherwise. */
  readonly home?: AppHome;
  /** Added to the home's. Never a secret. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly argumentList?: readonly string[];
}

export interface LaunchedApp {
  readonly application: ElectronApplication;
  readonly home: AppHome;
  readonly mainProcess: ChildProcess;
  /** The id of the main process. */
  readonly mainProcessId: number;
  /** What a function answers that runs in main, where it may have to run twice: it reads, or sets what is the same then. */
  inMain<Value>(work: (electron: typeof Electron) => Value | Promise<Value>): Promise<Value>;
  inMain<Value, Given>(
    work: (electron: typeof Electron, given: Given) => Value | Promise<Value>,
    given: Given,
  ): Promise<Value>;
  /** The window whose address begins so, waiting for it to open: 'app://main/' or 'app://prompt/'. */
  window(address: string): Promise<Page>;
  /** Ends the app and, unless it was given, removes its home. */
  close(): Promise<void>;
}

/** Starts the test package. */
export async function launchApp(options: LaunchOptions = {}): Promise<LaunchedApp> {
  if (!existsSync(testExecutable))
    throw new Error(`${testExecutable} is missing: run "npm test -- e2e", which packages the app first.`);
  const home = options.home ?? (await makeAppHome());
  await mkdir(home.userDataDirectory, { recursive: true, mode: 0o700 });
  const application = await _electron.launch({
    executablePath: testExecutable,
    args: [`--user-data-dir=${home.userDataDirectory}`, ...(options.argumentList ?? [])],
    cwd: home.directory,
    env: { ...home.environment, ...options.environment },
    chromiumSandbox: true,
    // As the app's own theme says; Playwright would say light.
    colorScheme: null,
    timeout: 60_000,
  });
  // Playwright forgets the process once the app has ended.
  const mainProcess = application.process();
  const mainProcessId = mainProcess.pid;
  if (mainProcessId === undefined) throw new Error('The app has no process id.');
  return {
    application,
    home,
    mainProcess,
    mainProcessId,
    async inMain<Value, Given>(
      work: (electron: typeof Electron, given: Given) => Value | Promise<Value>,
      given?: Given,
    ): Promise<Value> {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await application.evaluate(work as (electron: typeof Electron, given: unknown) => Value, given);
        } catch (cause) {
          // V8's inspector lets go of an answer now and then before it is fetched.
          if (attempt >= 5 || !(cause instanceof Error) || !cause.message.includes('was garbage collected'))
            throw cause;
        }
      }
    },
    async window(address) {
      const deadline = performance.now() + 60_000;
      for (;;) {
        const open = application.windows().find((page) => page.url().startsWith(address));
        if (open !== undefined) return open;
        if (performance.now() > deadline) throw new Error(`No window with ${address} opened within 60 s.`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      const ended = new Promise<void>((resolve) => {
        if (mainProcess.exitCode !== null || mainProcess.signalCode !== null) resolve();
        else mainProcess.once('exit', () => resolve());
      });
      await application
        .evaluate(({ app }) => app.exit(0))
        .catch((cause: unknown) => {
          // The connection ends with the app, most often before the call's answer.
          if (!(cause instanceof Error)) throw cause;
        });
      await ended;
      if (options.home === undefined) await home.remove();
    },
  };
}

/** Keeps a picture of a window under test/out/screens. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const directory = join(testOutDirectory, 'screens');
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

/** The same of a main window that is zoomed, which a page's own screenshot would cut to a part. */
export async function keepZoomedScreenshot(app: LaunchedApp, name: string): Promise<void> {
  const directory = join(testOutDirectory, 'screens');
  await mkdir(directory, { recursive: true });
  const picture = await app.application.evaluate(async ({ BrowserWindow }) => {
    const image = await BrowserWindow.getAllWindows()[0]?.webContents.capturePage();
    return image?.toPNG().toString('base64') ?? '';
  });
  await writeFile(join(directory, `${name}.png`), Buffer.from(picture, 'base64'));
}
