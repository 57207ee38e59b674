import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { endStrayProcess, processStartTime } from '../../electron/rehearsal/stray-process.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const running: TestVault[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function getJson(address: string, ca: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request(`${address}/v1/sys/seal-status`, { ca, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
    })
      .on('error', reject)
      .end();
  });
}

describe('a throw-away Vault', () => {
  test('comes up under its own authority, keeps its port over a restart, and leaves nothing', async () => {
    const server = await startVaultServer();
    running.push(server);
    const ca = await readFile(server.caPath, 'utf8');
    expect(await getJson(server.address, ca)).toMatchObject({ initialized: false, sealed: true, storage_type: 'raft' });
    const address = server.address;
    await server.restart();
    expect(await getJson(address, ca)).toMatchObject({ sealed: true });
    expect((await stat(join(server.dataDirectory, 'server-key.pem'))).mode & 0o777).toBe(0o600);
    await server.stop();
    await expect(stat(server.dataDirectory)).rejects.toThrow();
    await expect(getJson(address, ca)).rejects.toThrow();
  });

  test('a left-over server is ended by its recorded start time, a stranger with its number is not', async () => {
    const server = await startVaultServer({ tls: false, storage: 'inmem' });
    running.push(server);
    const record: unknown = JSON.parse(await readFile(join(server.dataDirectory, 'node-1', 'process.json'), 'utf8'));
    expect(record).toMatchObject({ pid: expect.any(Number), startTime: expect.stringMatching(/^\d+$/u) });
    const directory = await mkdtemp(join(tmpdir(), 'key-custodian-stray-'));
    try {
      const stranger = join(directory, 'process.json');
      await writeFile(stranger, JSON.stringify({ pid: process.pid, startTime: '1' }));
      expect(await endStrayProcess(stranger)).toBe(false);
      expect(await processStartTime(process.pid)).not.toBe('');
      await writeFile(stranger, JSON.stringify(record));
      expect(await endStrayProcess(stranger)).toBe(true);
      await expect(fetch(`${server.address}/v1/sys/seal-status`)).rejects.toThrow();
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
