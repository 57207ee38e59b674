import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { createSharePort } from '../../electron/shares/share-port.ts';
import type { SharePort, VaultConnection } from '../../electron/workflows/ports.ts';
import type { VaultSetUpPort, WantedInVault } from '../../electron/workflows/vault-setup-ports.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const entryPath = join(import.meta.dirname, '..', '..', 'electron', 'shares', 'share-host.ts');

const engine: WantedInVault = { kind: 'transit-engine', mount: 'transit' };
const key: WantedInVault = { kind: 'transit-key', mount: 'transit', name: 'kleidi' };
const policyText = `path "transit/encrypt/kleidi" { capabilities = ["update"] }
path "transit/decrypt/kleidi" { capabilities = ["update"] }
path "transit/keys/kleidi" { capabilities = ["read"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`;
const policy: WantedInVault = { kind: 'policy', name: 'kleidi', text: policyText };

let vault: TestVault;
let byHand: ByHand;
let connection: VaultConnection;
let testRootToken = '';
let port: SharePort & VaultSetUpPort;

beforeAll(async () => {
  vault = await startVaultServer({ storage: 'inmem' });
  connection = { address: vault.address, trust: { kind: 'ca-file', path: vault.caPath } };
  byHand = vaultByHand(vault);
  const initialized = await byHand.initialize(1, 1);
  testRootToken = initialized.testRootToken;
  await byHand.unseal(initialized.testShares);
  port = createSharePort({ launch: createNodeLauncher({ entryPath: () => entryPath }) });
});
afterAll(async () => {
  await port.close();
  await vault.stop();
});

async function hold(runId: string, testToken: string): ReturnType<VaultSetUpPort['holdToken']> {
  const recipient = await port.sealingPublicKey();
  if (!recipient.ok) throw new Error(recipient.error.message);
  const sealed = await sealSecret(recipient.value, new TextEncoder().encode(testToken), secretPurpose.vaultToken);
  return port.holdToken(runId, connection, '', sealed);
}

describe('the token', () => {
  test('is asked what it is, and held for its run only', async () => {
    expect(await hold('run-a', testRootToken)).toMatchObject({ ok: true, value: { policies: ['root'] } });
    expect(await port.holdsToken('run-a')).toMatchObject({ ok: true, value: { held: true } });
    expect(await port.look('run-b', engine)).toMatchObject({ ok: false, error: { code: 'Vault_TokenNeeded' } });
    await port.forgetToken('run-a');
    expect(await port.look('run-a', engine)).toMatchObject({ ok: false, error: { code: 'Vault_TokenNeeded' } });
  });

  test('that is none, or of another form, is refused', async () => {
    expect(await hold('run-c', 'hvs.not-a-token')).toMatchObject({
      ok: false,
      error: { code: 'Vault_PermissionDenied' },
    });
    expect(await hold('run-c', 'two words')).toMatchObject({ ok: false, error: { code: 'Vault_PermissionDenied' } });
    expect(await port.holdsToken('run-c')).toMatchObject({ ok: true, value: { held: false } });
  });

  test('sealed for another purpose is not taken', async () => {
    const recipient = await port.sealingPublicKey();
    if (!recipient.ok) throw new Error(recipient.error.message);
    const sealed = await sealSecret(recipient.value, new TextEncoder().encode(testRootToken), secretPurpose.share);
    expect(await port.holdToken('run-d', connection, '', sealed)).toMatchObject({
      ok: false,
      error: { code: 'App_BadRequest' },
    });
  });
});

describe('what is wanted', () => {
  beforeEach(async () => {
    expect((await hold('run', testRootToken)).ok).toBe(true);
  });

  test('is made once, and found the second time', async () => {
    for (const wanted of [engine, key, policy]) {
      expect(await port.look('run', wanted)).toMatchObject({ ok: true, value: { state: 'missing' } });
      expect(await port.make('run', wanted, false)).toMatchObject({ ok: true, value: { state: 'same', made: true } });
      expect(await port.make('run', wanted, false)).toMatchObject({ ok: true, value: { state: 'same', made: false } });
    }
    const made = await byHand.call('GET', 'transit/keys/kleidi', {}, testRootToken);
    expect(made).toMatchObject({ data: { type: 'aes256-gcm96', exportable: false, deletion_allowed: false } });
  });

  test('a policy that differs is left alone unless it was planned', async () => {
    await byHand.call(
      'PUT',
      'sys/policies/acl/other',
      { policy: 'path "x" { capabilities = ["read"] }' },
      testRootToken,
    );
    const other: WantedInVault = { kind: 'policy', name: 'other', text: policyText };
    expect(await port.make('run', other, false)).toMatchObject({ ok: false, error: { code: 'Vault_SetUpDiffers' } });
    expect(await byHand.call('GET', 'sys/policies/acl/other', {}, testRootToken)).toMatchObject({
      data: { policy: 'path "x" { capabilities = ["read"] }' },
    });
    expect(await port.make('run', other, true)).toMatchObject({ ok: true, value: { state: 'same', made: true } });
  });

  test('a key that can be exported, or a mount of another engine, is never replaced', async () => {
    await byHand.call('PUT', 'transit/keys/weak', { exportable: true }, testRootToken);
    const weak: WantedInVault = { kind: 'transit-key', mount: 'transit', name: 'weak' };
    expect(await port.look('run', weak)).toMatchObject({
      ok: true,
      value: { state: 'different', differs: ['exportable'] },
    });
    expect(await port.make('run', weak, true)).toMatchObject({ ok: false, error: { code: 'Vault_SetUpDiffers' } });
    await byHand.call('PUT', 'sys/mounts/kv', { type: 'kv' }, testRootToken);
    expect(await port.make('run', { kind: 'transit-engine', mount: 'kv' }, true)).toMatchObject({
      ok: false,
      error: { code: 'Vault_SetUpDiffers' },
    });
  });

  test('a token without the rights is told so', async () => {
    await byHand.call(
      'PUT',
      'sys/policies/acl/none',
      { policy: 'path "none" { capabilities = ["read"] }' },
      testRootToken,
    );
    const created = await byHand.call('PUT', 'auth/token/create', { policies: ['none'] }, testRootToken);
    const testToken = (created as { auth: { client_token: string } }).auth.client_token;
    expect((await hold('run-poor', testToken)).ok).toBe(true);
    expect(await port.make('run-poor', { kind: 'transit-engine', mount: 'more' }, false)).toMatchObject({
      ok: false,
      error: { code: 'Vault_PermissionDenied' },
    });
  });
});

describe('the policy, tried with a token of its own', () => {
  const tried = { policy: 'kleidi', mount: 'transit', key: 'kleidi' };

  test('encrypts and decrypts, and may nothing else', async () => {
    expect((await hold('run', testRootToken)).ok).toBe(true);
    expect(await port.tryPolicy('run', tried)).toMatchObject({ ok: true, value: { keyVersion: 1 } });
  });

  test.each([
    ['decrypt', 'path "transit/encrypt/kleidi" { capabilities = ["update"] }'],
    ['rotate', `${policyText}path "transit/keys/kleidi/rotate" { capabilities = ["update"] }`],
    ['everything', 'path "*" { capabilities = ["create", "read", "update", "delete", "sudo"] }'],
    ['never renew', policyText.replace('path "auth/token/renew-self" { capabilities = ["update"] }', '')],
  ])('one that is wrong (%s) is said', async (_, text) => {
    expect((await hold('run', testRootToken)).ok).toBe(true);
    await byHand.call('PUT', 'sys/policies/acl/wrong', { policy: text }, testRootToken);
    expect(await port.tryPolicy('run', { ...tried, policy: 'wrong' })).toMatchObject({
      ok: false,
      error: { code: 'Vault_PolicyUnsuitable' },
    });
  });

  test('leaves no token behind', async () => {
    const accessors = async (): Promise<number> => {
      const listed = await byHand.call('GET', 'auth/token/accessors?list=true', {}, testRootToken);
      return (listed as { data: { keys: string[] } }).data.keys.length;
    };
    expect((await hold('run', testRootToken)).ok).toBe(true);
    const before = await accessors();
    expect((await port.tryPolicy('run', tried)).ok).toBe(true);
    expect(await accessors()).toBe(before);
  });
});
