import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEscrowFile, temporaryPathOf } from '../../electron/custody/escrow-file.ts';
import { reserveEscrow } from '../../electron/shares/escrow-file.ts';
import type { Escrow } from '../../electron/workflows/ports.ts';

const escrow: Escrow = {
  runId: 'run-1',
  vaultAddress: 'https://vault.test:8200',
  publicKeySha256: 'ab'.repeat(32),
  entries: ['vault-unseal-0', 'vault-root'].map((label) => ({
    label,
    tokenCiphertext: Buffer.from(label).toString('base64'),
    pgpMessage: '',
  })),
};

let directory = '';
let path = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-escrow-'));
  path = join(directory, 'escrow.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('an escrow that its writer could not put in place', () => {
  test('is put in place, whoever of several is first', async () => {
    await writeFile(temporaryPathOf(path), JSON.stringify(escrow).padEnd(4096, ' '));
    const found = await Promise.all(Array.from({ length: 40 }, () => readEscrowFile(path, 'run-1')));
    expect(found.filter((one) => !one.ok || one.value.kind !== 'complete')).toEqual([]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(escrow);
  });

  test('may be taken up while its writer is still at it', async () => {
    for (let round = 0; round < 40; round += 1) {
      const reservation = await reserveEscrow(path, 'run-1', 4096);
      if (!reservation.ok) throw new Error(reservation.error.message);
      let filled = false;
      const writing = reservation.value.fill(escrow).finally(() => {
        filled = true;
      });
      const looking = async (): Promise<void> => {
        while (!filled) expect(await readEscrowFile(path, 'run-1')).toMatchObject({ ok: true });
      };
      await Promise.all([looking(), looking()]);
      expect(await writing).toEqual({ ok: true, value: {} });
      expect(await readEscrowFile(path, 'run-1')).toMatchObject({ ok: true, value: { kind: 'complete', escrow } });
      await rm(path);
    }
  });

  test('is left alone where it is another run’s', async () => {
    await writeFile(temporaryPathOf(path), JSON.stringify({ ...escrow, runId: 'run-2' }));
    expect(await readEscrowFile(path, 'run-1')).toMatchObject({ ok: true, value: { kind: 'incomplete' } });
    expect(await readFile(temporaryPathOf(path), 'utf8')).toContain('run-2');
  });
});
