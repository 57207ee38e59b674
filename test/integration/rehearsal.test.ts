import { access, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createRehearsal } from '../../electron/rehearsal/rehearsal.ts';
import { defaultCacheDirectory } from '../../electron/rehearsal/vault-binary.ts';
import { obtainVaultBinary } from '../../electron/rehearsal/vault-build.ts';
import { createVaultPort } from '../../electron/vault/vault-port.ts';
import type { KnownVault, Rehearsal } from '../../electron/core/core.ts';

let dataDirectory = '';
const open: Rehearsal[] = [];
beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'key-custodian-rehearsal-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((rehearsal) => rehearsal.stop()));
  await rm(dataDirectory, { recursive: true, force: true });
});

function create(): Rehearsal {
  const rehearsal = createRehearsal({
    dataDirectory,
    cacheDirectory: defaultCacheDirectory(),
    serverSourcesDirectory: join(import.meta.dirname, '..', '..', 'build', 'servers'),
  });
  open.push(rehearsal);
  return rehearsal;
}

async function sealStatus(vault: KnownVault | undefined) {
  const port = createVaultPort();
  try {
    return await port.sealStatus({ address: vault?.addresses[0] ?? '', trust: vault?.trust ?? { kind: 'system' } });
  } finally {
    port.close();
  }
}

/** PUT with JSON both ways, as `vault operator init` and `unseal` do it. */
async function put(vault: KnownVault, path: string, body: unknown): Promise<unknown> {
  const ca = vault.trust.kind === 'ca-file' ? await readFile(vault.trust.path) : undefined;
  return new Promise((resolve, reject) => {
    const sent = request(`${vault.addresses[0] ?? ''}/v1/${path}`, { method: 'PUT', ca }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('end', () => {
        resolve(JSON.parse(Buffer.concat(parts).toString('utf8')));
      });
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

const initReplySchema = z.object({ keys: z.array(z.string()).length(1) });

describe('a rehearsal', () => {
  test('brings up a store and a Vault, says how far it is, and goes away whole', async () => {
    const rehearsal = create();
    const states: string[] = [];
    rehearsal.subscribe(() => states.push(rehearsal.current.state));
    const [first, second] = await Promise.all([rehearsal.start(), rehearsal.start()]);
    expect(first).toMatchObject({ ok: true, value: { state: 'ready', storeId: 'rehearsal', vaultId: 'rehearsal' } });
    expect(second).toEqual(first);
    expect(states).toContain('starting');
    expect(rehearsal.store).toMatchObject({ rehearsal: true });
    expect((await stat(join(dataDirectory, 'rehearsal'))).mode & 0o777).toBe(0o700);
    expect(await sealStatus(rehearsal.vault)).toMatchObject({ ok: true, value: { initialized: false } });
    expect(await rehearsal.discard()).toMatchObject({ ok: true });
    expect(rehearsal.current.state).toBe('none');
    expect(await readdir(dataDirectory)).toEqual([]);
  });

  test('left by an earlier process, it is taken up again at the same address', async () => {
    const earlier = create();
    await earlier.start();
    const address = earlier.vault?.addresses[0];
    await earlier.stop();
    expect(earlier.current.state).toBe('none');
    await access(join(dataDirectory, 'rehearsal', 'softhsm2.conf'));
    const later = create();
    expect(await later.start()).toMatchObject({ ok: true });
    expect(later.vault?.addresses[0]).toBe(address);
    expect(await sealStatus(later.vault)).toMatchObject({ ok: true });
  });

  test('restarts its Vault: sealed, same address, same data, and the rehearsal goes on', async () => {
    const rehearsal = create();
    expect(await rehearsal.restartVault()).toMatchObject({ ok: false, error: { code: 'Rehearsal_NotRunning' } });
    await rehearsal.start();
    const { vault, store } = rehearsal;
    if (vault === undefined) throw new Error('no Vault');
    const made = initReplySchema.parse(await put(vault, 'sys/init', { secret_shares: 1, secret_threshold: 1 }));
    await put(vault, 'sys/unseal', { key: made.keys[0] });
    expect(await sealStatus(vault)).toMatchObject({ ok: true, value: { initialized: true, sealed: false } });
    const seen: string[] = [];
    rehearsal.subscribe(() => seen.push(`${rehearsal.current.state}: ${rehearsal.current.progressText}`));
    const [first, second] = await Promise.all([rehearsal.restartVault(), rehearsal.restartVault()]);
    expect(first).toMatchObject({ ok: true, value: { state: 'ready', vaultId: 'rehearsal', problem: undefined } });
    expect(second).toEqual(first);
    expect(seen).toEqual(['ready: Restarting Vault so that it is sealed', 'ready: ']);
    expect(rehearsal.vault?.addresses).toEqual(vault.addresses);
    expect(rehearsal.store).toEqual(store);
    expect(await sealStatus(rehearsal.vault)).toMatchObject({ ok: true, value: { initialized: true, sealed: true } });
    await put(vault, 'sys/unseal', { key: made.keys[0] });
    expect(await sealStatus(rehearsal.vault)).toMatchObject({ ok: true, value: { sealed: false } });
  });

  test('its Vault left running is ended first, and its unexpected end is told', async () => {
    const killed = create();
    await killed.start();
    const address = killed.vault?.addresses[0];
    const later = create();
    expect(await later.start()).toMatchObject({ ok: true });
    expect(later.vault?.addresses[0]).toBe(address);
    await expect.poll(() => killed.current.problem?.code).toBe('Rehearsal_NotRunning');
  });

  test('without Vault and without Go it says what to install', async () => {
    const names = ['PATH', 'VAULT_BIN', 'BAO_BIN'] as const;
    const saved = names.map((name) => process.env[name]);
    process.env['PATH'] = '/nowhere';
    delete process.env['VAULT_BIN'];
    delete process.env['BAO_BIN'];
    try {
      const answered = await obtainVaultBinary(
        { cacheDirectory: join(dataDirectory, 'cache'), serverSourcesDirectory: dataDirectory },
        () => undefined,
      );
      expect(answered).toMatchObject({
        ok: false,
        error: { code: expect.stringMatching(/^Rehearsal_Vault(Missing|BuildFailed)$/u) },
      });
    } finally {
      names.forEach((name, index) => {
        const value = saved[index];
        if (value !== undefined) process.env[name] = value;
      });
    }
  });
});
