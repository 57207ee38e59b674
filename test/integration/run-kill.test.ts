/**
 * An initialisation ended with SIGKILL at every journalled event, before and after, and at every write
 * after Vault's reply. Each time a new process finishes the run, and the Vault unseals with what is stored.
 */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decrypt, generateKey, readMessage, readPrivateKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { UnsealPlan, VaultInitPlan } from '../../electron/workflows/plans.ts';
import { sharePoints } from '../fixtures/kill-points.ts';
import {
  carryThrough,
  killAt,
  killAtEach,
  pointsOf,
  runKillChild,
  takeUp,
  type KillScene,
} from '../fixtures/kill-scenes.ts';
import { openRunHarness, temporaryDirectory, testPin, type RunHarness } from '../fixtures/run-harness.ts';
import { sealTestPin, valueOf } from '../fixtures/token-port.ts';
import { writeSoftHsmConfiguration } from '../fixtures/softhsm.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const childPath = fileURLToPath(new URL('../fixtures/kill-child.ts', import.meta.url));

/** Where values go in a plan that is killed. */
type Places = Pick<VaultInitPlan, 'destinations' | 'rootToken'>;

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
let serial: string;
let scenario = 0;
/** Made for this run of the test; it protects nothing. */
let testPgpPrivateKey: string;
let places: { readonly shown: Places; readonly pgpAndRevoked: Places };

const templateOf = (): string => join(root.path, 'template');

/** A token with its wrapping key, made once; every scenario starts from a copy of it. */
beforeAll(async () => {
  root = await temporaryDirectory('kill');
  await mkdir(join(templateOf(), 'tokens'), { recursive: true });
  const harness = await openRunHarness({
    dataDirectory: join(root.path, 'setup'),
    softhsmConfiguration: await writeSoftHsmConfiguration(templateOf()),
  });
  const started = await harness.runner.start(tokenSetupPlan({ label: 'kill test' }), 'Ada');
  if (!started.ok) throw new Error(started.error.message);
  const ended = await harness.runner.proceed(started.value.runId, {
    by: 'Ada',
    typedName: '',
    throughDeliberateSteps: true,
  });
  await harness.close();
  if (!ended.ok || ended.value.state.status !== 'completed') throw new Error(JSON.stringify(ended));
  serial = String(ended.value.state.facts['serial']);

  const key = await generateKey({ type: 'curve25519', userIDs: [{ name: 'Cy' }], format: 'object' });
  testPgpPrivateKey = key.privateKey.armor();
  const toCy = {
    kind: 'pgp',
    custodian: 'Cy',
    publicKeyArmored: key.publicKey.armor(),
    fingerprint: key.publicKey.getFingerprint().toUpperCase(),
  } as const;
  places = {
    shown: {
      destinations: [{ kind: 'token' }, { kind: 'token' }, { kind: 'shown', custodian: 'Bo' }],
      rootToken: { kind: 'token' },
    },
    pgpAndRevoked: { destinations: [toCy, { kind: 'token' }, { kind: 'token' }], rootToken: { kind: 'revoked' } },
  };
});

afterAll(() => root.dispose());

interface Scene {
  readonly vault: TestVault;
  readonly data: string;
  readonly configuration: string;
  readonly plan: VaultInitPlan;
}

function newSceneOf(chosen: Places): () => Promise<KillScene> {
  return async () => {
    scenario += 1;
    const directory = join(root.path, scenario.toString());
    await cp(templateOf(), directory, { recursive: true });
    const vault = await startVaultServer({ storage: 'inmem', tls: false });
    const scene: Scene = {
      vault,
      data: join(directory, 'data'),
      configuration: await writeSoftHsmConfiguration(directory),
      plan: {
        workflow: 'vault-init',
        rehearsal: false,
        vaultId: 'v',
        vaultName: 'Test',
        connection: { address: vault.address, trust: { kind: 'system' } },
        token: { storeId: 'test', serial, label: 'kill test' },
        keyLabel: 'bank-vaults',
        shares: 3,
        threshold: 2,
        ...chosen,
      },
    };
    const planPath = join(directory, 'plan.json');
    await writeFile(planPath, JSON.stringify(scene.plan));
    return {
      run: (point) => runKillChild(childPath, [scene.data, scene.configuration, planPath, point]),
      finish: () => finishAndUnseal(scene),
      dispose: () => vault.stop(),
    };
  };
}

/** What a value on the token says, decrypted there. */
async function readValue(harness: RunHarness, label: string): Promise<string> {
  const token = { storeId: 'test', serial };
  const ciphertext = await harness.tokens.readData(token, label);
  if (!ciphertext.ok) throw new Error(ciphertext.error.message);
  const pair = await createSealingKeyPair();
  const sealed = await harness.tokens.decrypt(token, 'bank-vaults', ciphertext.value, pair.publicKey, 'test');
  if (!sealed.ok) throw new Error(sealed.error.message);
  return Buffer.from((await openSecret(pair, sealed.value, 'test')) ?? []).toString();
}

/** The share in the one PGP message that the run left for its custodian. */
async function readPgpShare(scene: Scene, runId: string): Promise<string> {
  const outbox = join(scene.data, 'runs', runId, 'outbox');
  const [fileName, ...others] = await readdir(outbox);
  if (fileName === undefined || others.length > 0) throw new Error('One message for Cy was expected.');
  const message = await readMessage({ binaryMessage: await readFile(join(outbox, fileName)) });
  const decryptionKeys = await readPrivateKey({ armoredKey: testPgpPrivateKey });
  return z.string().parse((await decrypt({ message, decryptionKeys })).data);
}

const answerSchema = z.object({
  nonce: z.string(),
  otp: z.string().exactOptional(),
  encoded_token: z.string().exactOptional(),
});

/** A new root token out of shares (sys/generate-root): that it works proves each of them. */
async function generateRoot(scene: Scene, shares: readonly string[]): Promise<string> {
  const call = async (path: string, body: object): Promise<z.infer<typeof answerSchema>> => {
    const response = await fetch(`${scene.vault.address}/v1/sys/generate-root/${path}`, {
      method: 'PUT',
      body: JSON.stringify(body),
    });
    return answerSchema.parse(await response.json());
  };
  const { nonce, otp = '' } = await call('attempt', {});
  let encoded = '';
  for (const key of shares) encoded = (await call('update', { key, nonce })).encoded_token ?? '';
  const pad = Buffer.from(otp);
  return Buffer.from(Buffer.from(encoded, 'base64').map((byte, index) => byte ^ (pad[index] ?? 0))).toString();
}

/** Finishes the run in this process, seals Vault, and unseals it with what the token holds. */
async function finishAndUnseal(scene: Scene): Promise<void> {
  const harness = await openRunHarness({ dataDirectory: scene.data, softhsmConfiguration: scene.configuration });
  try {
    const ids = (await readdir(join(scene.data, 'runs')).catch(() => [])).filter((name) => !name.startsWith('.'));
    expect(ids.length).toBeLessThanOrEqual(1);
    const runId = await takeUp(harness, scene.plan, testPin);
    await expect(readFile(join(scene.data, 'runs', runId, 'escrow.json'))).rejects.toThrow('ENOENT');

    const unsealPlan: UnsealPlan = {
      workflow: 'unseal',
      rehearsal: false,
      vaultId: 'v',
      vaultName: 'Test',
      connections: [scene.plan.connection],
      sources: [{ kind: 'token', token: scene.plan.token, keyLabel: 'bank-vaults' }],
    };
    const pin = await sealTestPin(harness.tokens, 'test', serial, testPin);
    await harness.tokens.login({ storeId: 'test', serial }, pin, false);
    const sealed = await fetch(`${scene.vault.address}/v1/sys/seal`, {
      method: 'PUT',
      headers: {
        'x-vault-token':
          scene.plan.rootToken.kind === 'token'
            ? await readValue(harness, 'vault-root')
            : await generateRoot(scene, [await readPgpShare(scene, runId), await readValue(harness, 'vault-unseal-1')]),
      },
    });
    expect(sealed.status).toBe(204);
    const unseal = valueOf(await harness.runner.start(unsealPlan, 'Bo'));
    expect(await carryThrough(harness, unsealPlan, unseal.runId)).toBe('completed');
  } finally {
    await harness.close();
  }
}

describe('SIGKILL during an initialisation', () => {
  it('at every journal record, every write and every submission', async () => {
    const newScene = newSceneOf(places.shown);
    const points = await pointsOf(newScene);
    expect(points.filter((name) => name.startsWith('append') && name.endsWith('after')).length).toBeGreaterThan(20);
    expect(await killAtEach(newScene, points)).toEqual([]);
  }, 900_000);

  it('with a share for a PGP key and the root token revoked: at every write, submission and revocation, and the records around them', async () => {
    const newScene = newSceneOf(places.pgpAndRevoked);
    const points = await pointsOf(newScene);
    expect(points).toContain('outbox after');
    expect(points).toContain('revoke root after');
    // What the other plan does not have; its own points have been killed at above.
    const first = points.indexOf('initialize after');
    const own = points.slice(first).filter((name) => !/^(?:write|delete) /u.test(name));
    expect(await killAtEach(newScene, own)).toEqual([]);
  }, 900_000);

  it.each(sharePoints)('inside the share host at %s', async (place) => {
    expect(await killAt(newSceneOf(places.shown), place)).toBeUndefined();
  });

  it('of everything but the share host, while Vault is being asked', async () => {
    expect(await killAt(newSceneOf(places.shown), 'parent at sync 2')).toBeUndefined();
  });
});
