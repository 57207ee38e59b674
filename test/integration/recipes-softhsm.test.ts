/**
 * The shell of the init containers, run as the manifests say it, on a real SoftHSM with OpenSC's pkcs11-tool: a token
 * and a key are made once, and no PIN stands in an argument of any process that it starts.
 */
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { startKmsProcess, type KmsProcess } from '../fixtures/kms-process.ts';
import { createKmsPlaceFor } from '../fixtures/kms-provider.ts';
import { inputOf } from '../fixtures/recipes.ts';
import { createSoftHsmDirectory, softHsmModulePath, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { connectKms, valueOf } from '../servers/kms-client.ts';

const testPin = 'pin-marker-4711';
const testSoPin = 'so-pin-marker-0815';

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let store: SoftHsmDirectory;
let shims: string;
let argumentLog: string;

/** Every pkcs11-tool that is run tells its arguments first. */
async function writeShim(): Promise<void> {
  shims = join(store.directory, 'bin');
  argumentLog = join(store.directory, 'arguments.log');
  await mkdir(shims);
  const shim = `#!/bin/sh\nprintf '%s\\n' "$*" >>'${argumentLog}'\nPATH=/usr/bin:/bin exec pkcs11-tool "$@"\n`;
  await writeFile(join(shims, 'pkcs11-tool'), shim);
  await chmod(join(shims, 'pkcs11-tool'), 0o755);
}

beforeEach(async () => {
  store = await createSoftHsmDirectory();
  await writeShim();
});
afterEach(() => store.dispose());

function initContainer(input: RecipeInput, name: string): Container {
  const daemonSet = renderRecipe(input).content.objects.find(({ kind }) => kind === 'DaemonSet');
  const spec = (daemonSet as unknown as { spec: { template: { spec: { initContainers: readonly Container[] } } } })
    .spec;
  const found = spec.template.spec.initContainers.find((container) => container.name === name);
  if (found === undefined) throw new Error(`There is no init container ${name}.`);
  return found;
}

/** What a ConfigMap holds under a name. */
function configText(input: RecipeInput, name: string): string {
  const texts = renderRecipe(input).content.objects.flatMap((manifest) => {
    const data = manifest['kind'] === 'ConfigMap' ? (manifest['data'] as Record<string, string>) : {};
    return data[name] === undefined ? [] : [data[name]];
  });
  return texts[0] ?? '';
}

async function run(script: string, variables: Record<string, string>): Promise<Output> {
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', script],
      {
        env: {
          PATH: `${shims}:/usr/bin:/bin`,
          SOFTHSM2_CONF: store.configurationPath,
          MODULE: softHsmModulePath,
          ...variables,
        },
        timeout: 60_000,
      },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ exitCode, stdout, stderr });
      },
    );
  });
}

/** Literal values of a container's environment, without those that are paths of the container's own. */
function environmentOf(container: Container): Record<string, string> {
  const own = new Set(['MODULE', 'SOFTHSM2_CONF', 'SOCKET_DIRECTORY', 'CONFIG_DIRECTORY', 'CONFIG_FILE']);
  return Object.fromEntries(
    container.env.flatMap(({ name, value }) => (value === undefined || own.has(name) ? [] : [[name, value]])),
  );
}

async function listKeys(label: string): Promise<string> {
  const { stdout, stderr } = await run(
    'pkcs11-tool --module "$MODULE" --token-label "$LABEL" --login --pin env:PIN --list-objects',
    { LABEL: label, PIN: testPin },
  );
  return stdout + stderr;
}

async function expectNoPinInArguments(): Promise<void> {
  const lines = await readFile(argumentLog, 'utf8');
  expect(lines).toContain('--init-token');
  expect(lines).not.toContain(testPin);
  expect(lines).not.toContain(testSoPin);
}

const pins = { SOFTHSM_PIN: testPin, SOFTHSM_SO_PIN: testSoPin };

describe('SoftHSM in the cluster', () => {
  const input = inputOf('softhsm-cluster', { tokenLabel: 'two words: 1', keyLabel: 'seal/key@1' });
  const container = initContainer(input, 'set-up-token');
  const script = configText(input, 'set-up-token.sh');

  test('its init container runs the script of the ConfigMap, with both PINs from the Secret', () => {
    expect(container.command).toEqual(['/bin/sh', '/etc/softhsm-cluster/set-up-token.sh']);
    expect(container.env.filter(({ value }) => value === undefined)).toEqual([
      { name: 'SOFTHSM_PIN', valueFrom: { secretKeyRef: { name: 'softhsm-pin', key: 'pin' } } },
      { name: 'SOFTHSM_SO_PIN', valueFrom: { secretKeyRef: { name: 'softhsm-pin', key: 'so-pin' } } },
    ]);
  });

  test('makes token and key once, and changes nothing the second time', async () => {
    const check = configText(input, 'check-token.sh');
    const variables = { ...environmentOf(container), ...pins };
    expect((await run(check, variables)).exitCode).toBe(1);

    const first = await run(script, variables);
    expect(first).toMatchObject({ exitCode: 0 });
    const tokens = await readdir(join(store.directory, 'tokens'));
    expect(tokens).toHaveLength(1);
    expect(await listKeys('two words: 1')).toContain('Secret Key Object; AES length 32');

    const again = await run(script, variables);
    expect(again).toMatchObject({ exitCode: 0, stdout: 'softhsm: the token is there\nsofthsm: the key is there\n' });
    expect(await readdir(join(store.directory, 'tokens'))).toEqual(tokens);
    expect((await run(check, variables)).exitCode).toBe(0);
    await expectNoPinInArguments();
    expect(first.stdout + first.stderr + again.stdout + again.stderr).not.toContain('marker');
  });

  test('goes on with a token that was cut off before it had its PIN', async () => {
    const variables = { ...environmentOf(container), ...pins };
    await run(
      'pkcs11-tool --module "$MODULE" --slot-index 0 --init-token --label "$TOKEN_LABEL" --so-pin env:SOFTHSM_SO_PIN',
      variables,
    );
    expect(await run(script, variables)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('the token is there, and gets its PIN'),
    });
    expect(await readdir(join(store.directory, 'tokens'))).toHaveLength(1);
    expect(await listKeys('two words: 1')).toContain('seal/key@1');
  });

  test('leaves a token alone whose PIN is another, and two of one label, and says so', async () => {
    const variables = { ...environmentOf(container), ...pins };
    await run(script, variables);
    const wrong = await run(script, { ...variables, SOFTHSM_PIN: 'another-pin' });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain('the token refused the PIN');
    await run(
      'pkcs11-tool --module "$MODULE" --slot-index 1 --init-token --label "$TOKEN_LABEL" --so-pin env:SOFTHSM_SO_PIN',
      variables,
    );
    const twice = await run(script, variables);
    expect(twice.exitCode).toBe(1);
    expect(twice.stderr).toContain('two tokens carry this label');
    const lost = await run(script, { ...variables, MODULE: '/nowhere.so' });
    expect(lost.stderr).toContain('the library did not answer');
  });

  test('makes an RSA pair for bank-vaults beside other keys, and not a third one', async () => {
    const forBankVaults = inputOf('softhsm-cluster', {
      vaultSeal: 'none',
      tokenLabel: 'two words: 1',
      keyLabel: 'seal',
    });
    const variables = { ...environmentOf(initContainer(forBankVaults, 'set-up-token')), ...pins };
    await run(script, { ...environmentOf(container), ...pins });
    expect(await run(script, variables)).toMatchObject({ exitCode: 0 });
    expect(await run(script, variables)).toMatchObject({ exitCode: 0 });
    const listed = await listKeys('two words: 1');
    expect(listed.match(/Private Key Object; RSA/gu)).toHaveLength(1);
    expect(listed).toMatch(/Usage:\s+encrypt, verify/u);
    const generate = 'pkcs11-tool --module "$MODULE" --token-label "$TOKEN_LABEL" --login --pin env:SOFTHSM_PIN';
    await run(`export SOFTHSM_PIN; ${generate} --keypairgen --key-type rsa:2048 --label seal`, variables);
    expect((await run(script, variables)).stderr).toContain('several keys carry this label');
  });

  test('its watcher says what it sees in a line of JSON, and ends when it is told to', async () => {
    const variables = { ...environmentOf(container), ...pins };
    await run(script, variables);
    const watcher = spawn('sh', ['-c', configText(input, 'watch-token.sh')], {
      env: {
        ...variables,
        PATH: '/usr/bin:/bin',
        SOFTHSM2_CONF: store.configurationPath,
        MODULE: softHsmModulePath,
        TOKEN_DIRECTORY: join(store.directory, 'tokens'),
        NODE_NAME: 'node-1',
        REPORT_SECONDS: '60',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => watcher.once('exit', resolve));
    const line = await new Promise<string>((resolve) =>
      watcher.stdout.once('data', (part: Buffer) => resolve(part.toString())),
    );
    watcher.kill('SIGTERM');
    expect(JSON.parse(line)).toMatchObject({
      node: 'node-1',
      token: 'two words: 1',
      state: 'ready',
      freeKiB: expect.any(Number),
    });
    expect(await ended).toBe(0);
  });
});

describe('the KMS plugin on SoftHSM', () => {
  const kleidi = inputOf('kms-plugin', { program: 'kleidi', name: 'kleidi-kms-plugin' });
  const container = initContainer(kleidi, 'prepare');

  async function nodeVariables(): Promise<Record<string, string>> {
    const nodeDirectory = join(store.directory, 'node');
    const socketDirectory = join(store.directory, 'socket');
    await mkdir(nodeDirectory);
    await mkdir(socketDirectory, { mode: 0o755 });
    await writeFile(join(nodeDirectory, 'pin'), `${testPin}\n`, { mode: 0o400 });
    await writeFile(join(nodeDirectory, 'so-pin'), `${testSoPin}\n`, { mode: 0o400 });
    return {
      ...environmentOf(container),
      CONFIG_DIRECTORY: nodeDirectory,
      SOCKET_DIRECTORY: socketDirectory,
      CONFIG_FILE: join(store.directory, 'config.json'),
    };
  }

  const script = container.command[2] ?? '';

  test('makes token and key from the PINs on the node, closes the socket’s directory, writes kleidi’s file', async () => {
    const variables = await nodeVariables();
    expect(await run(script, variables)).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(await readFile(variables['CONFIG_FILE'] ?? '', 'utf8'))).toEqual({
      path: softHsmModulePath,
      tokenLabel: 'kms',
      pin: testPin,
    });
    expect((await stat(variables['CONFIG_FILE'] ?? '')).mode & 0o777).toBe(0o600);
    expect((await stat(variables['SOCKET_DIRECTORY'] ?? '')).mode & 0o777).toBe(0o700);
    expect(await listKeys('kms')).toContain('kleidi-kms-plugin');
    await expectNoPinInArguments();
    expect(await run(script, variables)).toMatchObject({ exitCode: 0 });
    expect(await readdir(join(store.directory, 'tokens'))).toHaveLength(1);
  });

  test('a key that was made for a rotation, as the documents say, writes from then on, and keeps no Pod from starting', async () => {
    const own = inputOf('kms-plugin');
    const ownScript = initContainer(own, 'prepare').command[2] ?? '';
    const variables = await nodeVariables();
    expect(await run(ownScript, variables)).toMatchObject({ exitCode: 0 });
    const place = await createKmsPlaceFor(() => ({
      provider: 'softhsm',
      path: softHsmModulePath,
      tokenLabel: 'kms',
      pinFile: join(variables['CONFIG_DIRECTORY'] ?? '', 'pin'),
    }));
    const environment = { SOFTHSM2_CONF: store.configurationPath };
    const serve = (): Promise<KmsProcess> =>
      startKmsProcess(['--config', place.configurationPath], undefined, { environment });
    let provider = await serve();
    let client = connectKms(place.socketPath);
    const keyId = async (): Promise<string> => valueOf(await client.status()).key_id;
    try {
      const sealed = valueOf(await client.encrypt(Buffer.alloc(32, 7)));
      const documents = await readFile(join(import.meta.dirname, '../../docs/kms-provider.md'), 'utf8');
      const command = /<!-- new-token-key -->\s+```sh\n(.+?)\n```/su.exec(documents)?.[1] ?? 'false';
      expect(command).toContain(`--module ${softHsmModulePath} `);
      expect(await run(`${command} --pin env:PIN`, { PIN: testPin })).toMatchObject({ exitCode: 0 });
      await expect.poll(keyId, { timeout: 20_000 }).not.toBe(sealed.key_id);
      const rotated = valueOf(await client.encrypt(Buffer.alloc(32, 8)));
      client.close();
      await provider.end('SIGTERM');
      expect(await run(ownScript, variables)).toMatchObject({ exitCode: 0 });
      // kleidi would take either of them.
      expect((await run(script, variables)).stderr).toContain('several keys carry this label');
      provider = await serve();
      client = connectKms(place.socketPath);
      expect(await keyId()).toBe(rotated.key_id);
      for (const [one, byte] of [
        [sealed, 7],
        [rotated, 8],
      ] as const)
        expect(valueOf(await client.decrypt(one)).plaintext).toEqual(Buffer.alloc(32, byte));
    } finally {
      client.close();
      await provider.end('SIGKILL');
      await place.remove();
    }
  });

  test('refuses a PIN that others of the node can read, and one that would break out of kleidi’s file', async () => {
    const variables = await nodeVariables();
    const pinPath = join(variables['CONFIG_DIRECTORY'] ?? '', 'pin');
    await chmod(pinPath, 0o644);
    const open = await run(script, variables);
    expect(open.exitCode).toBe(1);
    expect(open.stderr).toContain('must be for root alone');
    await chmod(pinPath, 0o600);
    await writeFile(pinPath, 'x","path":"/evil.so\n');
    const breaking = await run(script, variables);
    expect(breaking.exitCode).toBe(1);
    expect(breaking.stderr).toContain('it stands in a JSON file');
    expect(await readdir(join(store.directory, 'tokens'))).toEqual([]);
  });
});
