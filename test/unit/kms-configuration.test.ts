/** The KMS provider's configuration: what kleidi's deployments say, and how this one says more. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  readConfiguration,
  type ConfigurationWish,
  type Environment,
} from '../../k8s-bridge/kms-provider/read-configuration.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-kms-configuration-'));
});
afterEach(() => rm(directory, { recursive: true }));

interface Said {
  readonly wish?: Partial<ConfigurationWish>;
  readonly environment?: Environment;
  readonly mode?: number;
}

async function read(content: object | string, { wish = {}, environment = {}, mode = 0o600 }: Said = {}) {
  const file = join(directory, 'config.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(file, mode);
  const result = readConfiguration({ file, listen: undefined, provider: undefined, ...wish }, environment);
  return result.ok ? { ...result.value.configuration, warnings: result.value.warnings } : result.error;
}

const token = { tokenLabel: 'kms', pin: '1234-test', path: '/usr/lib/softhsm/libsofthsm2.so' };
const transit = {
  namespace: '',
  transitkey: 'kleidi',
  vaultrole: 'kleidi',
  address: 'https://172.20.10.9:8200',
  transitpath: 'transit',
  authmethod: 'k8s',
  authpath: 'kubernetes',
};
const certificates = {
  VAULT_CACERT: '/etc/ssl/certs/vault-cert.pem',
  VAULT_CLIENT_CERT: '/etc/ssl/certs/client.pem',
  VAULT_CLIENT_KEY: '/etc/ssl/certs/client-key.pem',
};

describe('as kleidi’s deployments have it', () => {
  it('on SoftHSM: token, PIN and library, and the key by kleidi’s label', async () => {
    expect(await read(token)).toMatchObject({
      kind: 'token',
      tokenLabel: 'kms',
      keyLabel: 'kleidi-kms-plugin',
      listen: '/tmp/kleidi/kleidi-kms-plugin.socket',
      gcmIvLength: 16,
      warnings: [],
    });
    expect(await read(token, { mode: 0o644 })).toMatchObject({ warnings: [expect.stringContaining('Make it 0600')] });
  });

  it('in any case of letters, with the length of its nonces', async () => {
    const { tokenLabel: TokenLabel, pin: PIN, path: Path } = token;
    expect(await read({ TokenLabel, PIN, Path, GCMIVLength: 12 })).toMatchObject({
      tokenLabel: 'kms',
      gcmIvLength: 12,
    });
    expect(await read({ TokenLabel, PIN, Path, GCMIVLength: 0, MaxSessions: 4 })).toMatchObject({ gcmIvLength: 16 });
    expect(await read({ ...token, GCMIVLength: 256 })).toMatchObject({ code: 'Kms_ConfigurationInvalid' });
  });

  it('in Transit, told by the flag or by what the file has', async () => {
    const expected = {
      kind: 'transit',
      mount: 'transit',
      key: 'kleidi',
      role: 'kleidi',
      authMount: 'kubernetes',
      tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      warnings: [],
    };
    expect(await read(transit)).toMatchObject(expected);
    expect(await read(transit, { wish: { provider: 'hvault', listen: 'unix:///run/a.socket' } })).toMatchObject({
      ...expected,
      listen: '/run/a.socket',
    });
  });

  it('in Transit by certificate, whose files stand in Vault’s environment variables', async () => {
    const byCertificate = { ...transit, authmethod: 'cert', authpath: 'certauth' };
    expect(await read(byCertificate)).toMatchObject({
      code: 'Kms_ConfigurationInvalid',
      message: expect.stringContaining('clientCertificateFile is needed'),
    });
    expect(await read(byCertificate, { environment: certificates })).toMatchObject({
      authMount: 'certauth',
      caFile: certificates.VAULT_CACERT,
      clientCertificateFile: certificates.VAULT_CLIENT_CERT,
      clientKeyFile: certificates.VAULT_CLIENT_KEY,
      tokenFile: undefined,
    });
  });

  it('but with no slot number, and no seeds in the clear', async () => {
    expect(await read({ ...token, tokenLabel: undefined, SlotNumber: 0 })).toMatchObject({
      message: expect.stringContaining('slot numbers change'),
    });
    expect(await read({ ...transit, address: 'http://172.20.10.9:8200' })).toMatchObject({
      message: expect.stringContaining('in the clear'),
    });
    expect(await read({ ...transit, address: 'http://127.0.0.1:8200' })).toMatchObject({ kind: 'transit' });
  });
});

it('what the file says goes before the environment, and what is empty there says nothing', async () => {
  const own = { ...transit, caFile: '/etc/own.pem', tlsServerName: 'vault.example' };
  const environment = { ...certificates, VAULT_TLS_SERVER_NAME: 'other.example', VAULT_CLIENT_KEY: '' };
  expect(await read(own, { environment })).toMatchObject({
    caFile: '/etc/own.pem',
    tlsServerName: 'vault.example',
    clientCertificateFile: certificates.VAULT_CLIENT_CERT,
  });
  expect(await read(own, { environment })).not.toHaveProperty('clientKeyFile');
  expect(await read(transit, { environment })).toMatchObject({ tlsServerName: 'other.example' });
  expect(await read(token, { environment })).not.toHaveProperty('caFile');
});

it.each(['1', 'true', 'T'])('a certificate is looked at although VAULT_SKIP_VERIFY is %s', async (value) => {
  expect(await read(transit, { environment: { VAULT_SKIP_VERIFY: value } })).toMatchObject({
    warnings: [expect.stringContaining('not followed')],
  });
  expect(await read(transit, { environment: { VAULT_SKIP_VERIFY: 'false' } })).toMatchObject({ warnings: [] });
});

it.each([
  ['no JSON', '{', 'is not a JSON object'],
  ['no object', '[]', 'is not a JSON object'],
  ['two ways to a PIN', { ...token, pinFile: '/etc/pin' }, 'needs one of'],
  ['a PIN nowhere', { ...token, pin: undefined }, 'needs one of'],
  ['a library that is no path', { ...token, path: 'softhsm.so' }, 'absolute path'],
  ['a socket on the network', { ...token, listen: 'tcp://0.0.0.0:1' }, 'unix:///PATH'],
  ['health for others than this machine', { ...token, health: '0.0.0.0:8085' }, '127.0.0.1:PORT'],
  ['an owner by name', { ...token, socketOwner: 'root' }, 'needs a number'],
  ['a path that leaves its mount', { ...transit, transitkey: '../sys/seal?' }, 'needs a path in Vault'],
  ['an unknown way to log in', { ...transit, authmethod: 'userpass' }, 'authmethod'],
  ['a certificate by a relative path', { ...transit, caFile: 'ca.pem' }, 'absolute path'],
])('%s is refused, and the PIN is not in the words', async (_, content, words) => {
  const refusal = await read(content);
  expect(refusal).toMatchObject({ code: 'Kms_ConfigurationInvalid', message: expect.stringContaining(words) });
  expect(JSON.stringify(refusal)).not.toContain(token.pin);
});
