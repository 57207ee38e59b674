/** What the provider logs in to Vault with, where its file holds none: said before Vault is asked. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { transitSchema } from '../../k8s-bridge/kms-provider/configuration.ts';
import { createVaultLogin } from '../../k8s-bridge/kms-provider/transit/vault-login.ts';

it.each(['', '\n', ' ', ' \t\n'])('a file with %j has no token', async (content) => {
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-login-'));
  try {
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, content, { mode: 0o400 });
    const configuration = transitSchema.parse({
      address: 'https://vault.example',
      transitkey: 'kms',
      authmethod: 'token',
      tokenFile,
    });
    const neverAsked = {
      call: () => Promise.reject(new Error('Vault was asked.')),
      renewCertificates: () => ({ kind: 'same' }) as const,
      close: () => undefined,
    };
    const login = createVaultLogin(configuration, neverAsked, () => undefined);
    expect(await login.token(performance.now() + 1000)).toMatchObject({
      ok: false,
      status: 9,
      words: expect.stringContaining(`${tokenFile} is empty.`),
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});
