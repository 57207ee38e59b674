/**
 * The provider as it is deployed: what build/container/Dockerfile puts into an image, laid out by hand from the same
 * lines; started with what the recipe writes for a static Pod, and as its systemd unit says.
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, cp, glob, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkPlugin } from '../../k8s-bridge/kms-provider/check.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { watchKmsProcess, type KmsProcess } from '../fixtures/kms-process.ts';
import { createKmsToken, kmsTestPin, type KmsToken } from '../fixtures/kms-provider.ts';
import { smartCardHsmOf } from '../fixtures/kms-card.ts';
import { cardBackend, inputOf, type InputOf } from '../fixtures/recipes.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { valueOf } from '../fixtures/token-port.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

let directory = '';
let token: KmsToken;
let instructions: readonly (readonly [name: string, rest: string])[];

/** The path in an image, laid out below the test's directory. */
const inBuild = (path: string): string => join(directory, 'build', path);
const inImage = (path: string): string => join(directory, 'image', path);

/** Each instruction on a line of its own, comments left out. */
function readInstructions(text: string): readonly (readonly [string, string])[] {
  return text
    .replaceAll(/\\\n/gu, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
}

/** As COPY does: several sources, patterns, a directory's contents into a directory. */
async function copyAll(sources: readonly string[], target: string, isDirectory: boolean): Promise<void> {
  for (const pattern of sources) {
    let found = 0;
    for await (const source of glob(pattern)) {
      found += 1;
      await cp(source, isDirectory ? join(target, basename(source)) : target, { recursive: true, dereference: true });
    }
    if (found === 0) throw new Error(`The Dockerfile copies ${pattern}, which is not there.`);
  }
}

async function layOut(): Promise<void> {
  for (const [name, rest] of instructions) {
    if (name === 'RUN' && rest.startsWith('npm ci'))
      await symlink(join(root, 'node_modules'), inBuild('src/node_modules'));
    if (name === 'RUN' && rest.startsWith('node ')) {
      await run(process.execPath, rest.split(' ').slice(1), { cwd: inBuild('src') });
    }
    if (name !== 'COPY') continue;
    const words = rest.split(/\s+/u);
    const target = words.pop() ?? '';
    if (words[0] === '--from=build') {
      await copyAll(words.slice(1).map(inBuild), inImage(target), target.endsWith('/'));
    } else {
      await copyAll(
        words.map((path) => join(root, path)),
        inBuild(join('src', target)),
        target.endsWith('/'),
      );
    }
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-deployment-'));
  token = await createKmsToken();
  token.addKey('kms-key', 1, Buffer.alloc(32, 7));
  instructions = readInstructions(await readFile(join(root, 'build/container/Dockerfile'), 'utf8'));
  await mkdir(inBuild('src'), { recursive: true });
  await layOut();
});
afterAll(async () => {
  await token.dispose();
  await rm(directory, { recursive: true, force: true });
});

async function serve(
  argumentList: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<KmsProcess> {
  const child = spawn(process.execPath, [inImage('/opt/key-custodian/out/main/custodian.cjs'), ...argumentList], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const served = await watchKmsProcess(child);
  if (child.exitCode !== null) throw new Error(`The provider ended: ${served.log()}`);
  return served;
}

async function expectServing(served: KmsProcess, socketPath: string): Promise<void> {
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(socketPath))).mode & 0o777).toBe(0o700);
  const points = valueOf(await checkPlugin(socketPath));
  expect(points.filter(({ holds }) => !holds)).toEqual([]);
  for (const path of ['/livez', '/readyz'])
    expect((await fetch(`http://${served.healthAddress()}${path}`)).status).toBe(200);
}

test('the image holds the provider alone, and runs as nobody that matters', async () => {
  const users = instructions.filter(([name]) => name === 'USER').map(([, rest]) => rest);
  expect(users).toEqual(['10001']);
  expect(
    instructions
      .filter(([name]) => name === 'ENTRYPOINT' || name === 'CMD')
      .map(([, rest]): unknown => JSON.parse(rest)),
  ).toEqual([
    ['node', '/opt/key-custodian/out/main/custodian.cjs'],
    ['kms', 'serve', '--config', '/etc/key-custodian/config.json'],
  ]);
  const { stdout } = await run(process.execPath, [inImage('/opt/key-custodian/out/main/custodian.cjs'), '--version']);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  expect(stdout.trim()).toBe(version);
});

/** From what the recipe writes for a static Pod: its files, moved to where this test may write, and its arguments. */
async function serveStaticPod(
  name: string,
  input: InputOf<'kms-plugin'>,
  testPin: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly served: KmsProcess; readonly socketPath: string }> {
  const { files } = renderRecipe({ ...input, deployment: 'static-pod' });
  const textOf = (file: string): string => files.find((each) => each.name === file)?.text ?? '';
  const pod = parse(textOf('kms-plugin-pod.yaml')) as {
    readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
  };
  // What the Pod mounts at these places lies elsewhere here, and the port is any that is free.
  const place = join(directory, name);
  const mounts = { '/etc/key-custodian': join(place, 'pod'), '/etc/kms-node': join(place, 'node') };
  const moved = (text: string): string =>
    Object.entries(mounts)
      .reduce((rest, [inPod, path]) => rest.replaceAll(inPod, path), text)
      .replaceAll(input.socketDirectory, join(place, 'run'))
      .replace('127.0.0.1:8085', '127.0.0.1:0');
  for (const path of Object.values(mounts)) await mkdir(path, { recursive: true, mode: 0o700 });
  await writeFile(join(mounts['/etc/key-custodian'], 'config.json'), moved(textOf('config.json')), { mode: 0o600 });
  await writeFile(join(mounts['/etc/kms-node'], 'pin'), `${testPin}\n`, { mode: 0o400 });
  const { args } = pod.spec.containers[0] ?? { args: [] };
  return {
    served: await serve(args.map(moved), environment),
    socketPath: join(place, 'run', `${input.name}.socket`),
  };
}

test('the image has what OpenSC reaches a card service by, which none of its packages asks for', () => {
  const installed = instructions.find(([name, rest]) => name === 'RUN' && rest.includes('apt-get install'))?.[1] ?? '';
  const packages = /--no-install-recommends ([a-z0-9 .+-]+?) +&&/u.exec(installed)?.[1]?.split(' ');
  expect(packages).toEqual(['softhsm2', 'opensc', 'libpcsclite1']);
});

test('a static Pod’s configuration and arguments, as the recipe writes them, serve from the image’s files', async () => {
  const softHsm = inputOf('kms-plugin');
  if (softHsm.backend.kind !== 'softhsm') throw new Error('The recipe begins with SoftHSM.');
  const backend = { ...softHsm.backend, modulePath: softHsmModulePath, tokenLabel: token.label, keyLabel: 'kms-key' };
  const environment = { SOFTHSM2_CONF: token.configurationPath };
  const { served, socketPath } = await serveStaticPod('softhsm', { ...softHsm, backend }, kmsTestPin, environment);
  await expectServing(served, socketPath);
  expect(await served.end('SIGTERM')).toBe(0);
  await expect(stat(socketPath)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the same on a Nitrokey HSM in software, by the label that it was set up with', async () => {
  const card = await smartCardHsmOf('kms-key', 'rsa:2048');
  try {
    // OpenSC shows it as “Test (UserPIN)”, another version of it as “Test”.
    const backend = { ...cardBackend, modulePath: card.modulePath, tokenLabel: 'Test', keyLabel: 'kms-key' };
    const { served, socketPath } = await serveStaticPod('card', inputOf('kms-plugin', { backend }), card.testPin, {});
    try {
      await expectServing(served, socketPath);
      expect(card.privateOperations()).toBe(1);
    } finally {
      expect(await served.end('SIGTERM')).toBe(0);
    }
  } finally {
    await card.close();
  }
});

describe('the systemd unit', () => {
  const unitPath = join(root, 'build/systemd/key-custodian-kms.service');
  const settingOf = (unit: string, name: string): string =>
    new RegExp(`^${name}=(.*)$`, 'mu').exec(unit)?.[1] ?? `${name} is not set`;

  test('is one that systemd takes', async () => {
    const unit = await readFile(unitPath, 'utf8');
    for (const [name, value] of [
      ['RuntimeDirectoryPreserve', 'yes'],
      ['NoNewPrivileges', 'yes'],
      ['CapabilityBoundingSet', ''],
      ['ProtectSystem', 'strict'],
      ['LimitCORE', '0'],
    ] as const)
      expect(settingOf(unit, name)).toBe(value);
    expect(unit).not.toMatch(/MemoryDenyWriteExecute=yes/u);
    const copy = join(directory, 'key-custodian-kms.service');
    // The program is not installed here.
    await writeFile(copy, unit.replace('/usr/bin/custodian', process.execPath));
    const analysed = await run('systemd-analyze', ['verify', '--man=no', copy]);
    expect(analysed).toMatchObject({ stdout: '', stderr: '' });
  });

  test('starts it with the PIN as a credential and the directories that systemd makes, and ends it by SIGTERM', async () => {
    const unit = await readFile(unitPath, 'utf8');
    const [program = '', ...argumentList] = settingOf(unit, 'ExecStart').split(' ');
    expect(program).toBe('/usr/bin/custodian');
    const [credential = ''] = settingOf(unit, 'LoadCredential').split(':');
    const runtime = join(directory, 'run', settingOf(unit, 'RuntimeDirectory'));
    await mkdir(runtime, { recursive: true });
    await chmod(runtime, Number.parseInt(settingOf(unit, 'RuntimeDirectoryMode'), 8));
    // systemd's own: a directory of the unit's, files that its user may read (systemd.exec(5), “Credentials”).
    const credentials = join(directory, 'credentials');
    await mkdir(credentials, { mode: 0o500 });
    await chmod(credentials, 0o700);
    await writeFile(join(credentials, credential), `${kmsTestPin}\n`, { mode: 0o440 });
    await chmod(credentials, 0o500);
    const configurationPath = join(directory, 'kms.json');
    const socketPath = join(runtime, 'kms.socket');
    const configuration = {
      listen: `unix://${socketPath}`,
      health: '127.0.0.1:0',
      provider: 'softhsm',
      path: softHsmModulePath,
      tokenLabel: token.label,
      keyLabel: 'kms-key',
      pinCredential: credential,
    };
    await writeFile(configurationPath, JSON.stringify(configuration), { mode: 0o644 });
    const named = argumentList.map((word) => (word === '/etc/key-custodian/kms.json' ? configurationPath : word));
    expect(named).toContain(configurationPath);
    const variables = Object.fromEntries(
      [...unit.matchAll(/^Environment=(\w+)=(.*)$/gmu)].map(([, name = '', value = '']) => [name, value] as const),
    );
    const environment = {
      CREDENTIALS_DIRECTORY: credentials,
      RUNTIME_DIRECTORY: runtime,
      ...variables,
      SOFTHSM2_CONF: token.configurationPath,
    };
    const imageVariables = instructions.find(([name]) => name === 'ENV')?.[1].split(' ') ?? [];
    expect(Object.keys(variables)).toEqual(['SOFTHSM2_CONF', 'MALLOC_ARENA_MAX', 'MALLOC_TRIM_THRESHOLD_']);
    expect(
      Object.entries(variables)
        .slice(1)
        .map((entry) => entry.join('=')),
    ).toEqual(imageVariables);
    for (const _ of ['first', 'again']) {
      const served = await serve(named, environment);
      await expectServing(served, socketPath);
      expect(await served.end('SIGTERM')).toBe(0);
      expect(served.log()).not.toContain(kmsTestPin);
    }
    await chmod(credentials, 0o700);
  });
});
