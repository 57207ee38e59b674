/**
 * The provider in kleidi's place, beside kleidi itself: both are started from one file, on SoftHSM and on Transit with a
 * projected token; what kleidi wrote is opened here, and kleidi is held against the contract of KMS v2.
 *
 *   go build -o /tmp/kleidi ./cmd/kleidi        (in a clone of github.com/beezy-dev/kleidi)
 *   VAULT_BIN=vault npx node test/trials/kms-kleidi.ts /tmp/kleidi
 *
 * As root, for kleidi reads its projected token at the kubelet's place, which must be free. Not part of npm test: kleidi
 * is no released Go module, and one of those that it needs is none either (vault/api/auth/cert, which may be left out).
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { checkPlugin } from '../../k8s-bridge/kms-provider/check.ts';
import { startKmsProcess } from '../fixtures/kms-process.ts';
import { createKmsPlaceFor, createKmsToken, kmsTestPin, type KmsToken } from '../fixtures/kms-provider.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { allowSignedTokens, makeSignedToken, startTransitVault } from '../fixtures/transit-vault.ts';
import { connectKms, valueOf, type SealedSeed } from '../servers/kms-client.ts';

const run = promisify(execFile);
const seedCount = 200;
const projectedToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const [kleidi = ''] = process.argv.slice(2);

/** @returns once it is healthy */
async function startKleidi(
  argumentList: readonly string[],
  socket: string,
  more: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  const child = spawn(kleidi, argumentList, { env: { PATH: process.env['PATH'], ...more }, stdio: 'ignore' });
  const client = connectKms(socket);
  try {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const status = await client.status();
      if (status.ok && status.value.healthz === 'ok') return child;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  } finally {
    client.close();
  }
  child.kill('SIGKILL');
  throw new Error('kleidi does not get healthy.');
}

interface Scene {
  readonly name: string;
  readonly provider: 'softhsm' | 'hvault';
  readonly fields: object;
  readonly environment: NodeJS.ProcessEnv;
  readonly token?: KmsToken;
}

async function tryInItsPlace({ name, provider, fields, environment, token }: Scene): Promise<void> {
  const place = await createKmsPlaceFor(() => fields);
  // kleidi's file has no socket in it.
  await writeFile(place.configurationPath, JSON.stringify(fields), { mode: 0o600 });
  await mkdir(dirname(place.socketPath), { mode: 0o700 });
  const argumentList = [
    `-provider=${provider}`,
    `-configfile=${place.configurationPath}`,
    `-listen=unix://${place.socketPath}`,
  ];
  const more = { ...environment, ...(token === undefined ? {} : { SOFTHSM2_CONF: token.configurationPath }) };
  try {
    const child = await startKleidi(argumentList, place.socketPath, more);
    const seeds = Array.from({ length: seedCount }, () => randomBytes(32));
    const written: SealedSeed[] = [];
    const itsClient = connectKms(place.socketPath);
    for (const seed of seeds) written.push(valueOf(await itsClient.encrypt(seed)));
    itsClient.close();
    const checked = await checkPlugin(place.socketPath);
    if (!checked.ok) throw new Error(checked.error.message);
    console.log(`${name}: kleidi writes ${written[0]?.ciphertext.length ?? 0} bytes as ${written[0]?.key_id ?? ''}`);
    for (const { holds, point } of checked.value) console.log(`  kleidi: ${holds ? 'holds ' : 'BROKEN'} ${point}`);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;

    const ours = await startKmsProcess(argumentList, token, { environment });
    const client = connectKms(place.socketPath);
    try {
      for (const [index, sealed] of written.entries()) {
        const { plaintext } = valueOf(await client.decrypt(sealed));
        if (!plaintext.equals(seeds[index] ?? Buffer.alloc(0))) throw new Error(`Seed ${index} is another one.`);
      }
      const status = valueOf(await client.status());
      const own = valueOf(await client.encrypt(randomBytes(32)));
      if (status.healthz !== 'ok' || own.key_id !== status.key_id)
        throw new Error('It does not write under its own key id.');
      console.log(`  from its file and its socket: opened ${written.length} of ${seedCount}, writes as ${own.key_id}`);
    } finally {
      client.close();
      await ours.end('SIGTERM');
    }
  } finally {
    await place.remove();
  }
}

async function onSoftHsm(): Promise<void> {
  const token = await createKmsToken();
  try {
    token.addKey('kleidi-kms-plugin', 1, randomBytes(32));
    const fields = { tokenLabel: token.label, pin: kmsTestPin, path: softHsmModulePath };
    await tryInItsPlace({ name: 'SoftHSM', provider: 'softhsm', fields, environment: {}, token });
    await tryInItsPlace({
      name: 'SoftHSM, nonces of 12 bytes',
      provider: 'softhsm',
      fields: { ...fields, GCMIVLength: 12 },
      environment: {},
      token,
    });
  } finally {
    await token.dispose();
  }
}

async function onTransit(): Promise<void> {
  const vault = await startTransitVault('kleidi', { storage: 'inmem' });
  const { testJwt, publicKey } = makeSignedToken('kleidi-vault-auth');
  const made = await mkdir(dirname(projectedToken), { recursive: true });
  try {
    // The same log-in for the caller, without an API server that reviews the token.
    await allowSignedTokens(vault, 'kubernetes', publicKey);
    await writeFile(projectedToken, testJwt, { mode: 0o600 });
    const fields = {
      namespace: '',
      transitkey: 'kleidi',
      vaultrole: 'kleidi',
      address: vault.server.address,
      transitpath: 'transit',
      authmethod: 'k8s',
      authpath: 'kubernetes',
    };
    const environment = { VAULT_CACERT: vault.server.caPath };
    await tryInItsPlace({ name: 'Transit', provider: 'hvault', fields, environment });
  } finally {
    await rm(projectedToken, { force: true });
    if (made !== undefined) await rm(made, { recursive: true });
    await vault.server.stop();
  }
}

if (kleidi === '') throw new Error('Which kleidi? npx node test/trials/kms-kleidi.ts PROGRAM');
if (existsSync(projectedToken)) throw new Error(`${projectedToken} is there already: this runs in a Pod.`);
await run(kleidi, ['-h']).catch((cause: unknown) => {
  if (!(cause instanceof Error && 'code' in cause && cause.code === 2)) throw cause;
});
await onSoftHsm();
await onTransit();
