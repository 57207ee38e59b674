/** What the channels for keys, certificates and DKEK share files do with files as people have them. */
import { createHash, createPublicKey, generateKeyPairSync, X509Certificate, type JsonWebKey } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channels } from '../../electron/contract/channels.ts';
import { createDkekHandlers } from '../../electron/ipc/handlers/dkek.ts';
import { createPresenceHandlers } from '../../electron/ipc/handlers/presence.ts';
import { notAnHsm, pcscdNotRunning } from '../../electron/ipc/views/presence-words.ts';
import { createTokenHandlers } from '../../electron/ipc/handlers/tokens.ts';
import type { DesktopPort } from '../../electron/ipc/desktop-port.ts';
import { createServerCertificates, loopbackCertificateOptions } from '../../electron/rehearsal/certificates.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { valueOf } from '../fixtures/token-port.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-handlers-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Desk {
  readonly port: DesktopPort;
  readonly suggested: string[];
}

function desk(chosen: string | undefined): Desk {
  const suggested: string[] = [];
  return {
    suggested,
    port: {
      chooseFile: async () => chosen,
      chooseSavePath: async (name) => {
        suggested.push(name);
        return chosen;
      },
      chooseFolder: async () => chosen,
      copyText: () => undefined,
      renderPdf: async () => new Uint8Array(),
    },
  };
}

async function fileWith(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

describe('dkek.choose-share-file', () => {
  const choose = (path: string | undefined) =>
    createDkekHandlers({ desktop: desk(path).port })['dkek.choose-share-file']({});
  const shareFile = Buffer.concat([Buffer.from('Salted__'), Buffer.alloc(56, 7)]);

  it('takes a share file as it is', async () => {
    const path = await fileWith('share-1.pbe', shareFile);
    const chosen = valueOf(await choose(path));
    expect(chosen).toEqual({ chosen: true, fileName: 'share-1.pbe', fileBase64: shareFile.toString('base64') });
    channels['dkek.choose-share-file'].reply.parse(chosen);
  });

  it('answers that nothing was chosen where the dialog was cancelled', async () => {
    expect(valueOf(await choose(undefined))).toEqual({ chosen: false, fileName: '', fileBase64: '' });
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['one byte too few', shareFile.subarray(0, 63)],
    ['one byte too many', Buffer.concat([shareFile, Buffer.alloc(1)])],
    ['another beginning', Buffer.concat([Buffer.from('salted__'), Buffer.alloc(56, 7)])],
    ['a wrapped key', Buffer.alloc(1200, 0x30)],
  ])('refuses %s', async (_what, content) => {
    const refused = await choose(await fileWith('wrong.bin', content));
    expect(refused).toMatchObject({ ok: false, error: { code: 'Device_ShareFileInvalid' } });
  });

  it('refuses what is too large or no file without reading it', async () => {
    const large = await choose(await fileWith('disk.img', Buffer.alloc(1024 * 1024)));
    expect(large).toMatchObject({ error: { code: 'Custody_ReadFailed' } });
    await mkdir(join(directory, 'folder'));
    expect(await choose(join(directory, 'folder'))).toMatchObject({ error: { code: 'Custody_ReadFailed' } });
    expect(await choose(join(directory, 'absent'))).toMatchObject({ error: { code: 'Custody_ReadFailed' } });
  });
});

/** Handlers over a token with one public key, or a failure in its place. */
function tokenHandlers(
  port: DesktopPort,
  exported: Parameters<typeof createTokenHandlers>[0]['core']['objects']['exportPublicKey'],
): ReturnType<typeof createTokenHandlers> {
  return createTokenHandlers({
    core: {
      stores: () => [{ id: 'opensc', name: 'OpenSC', modulePath: '/opensc-pkcs11.so', rehearsal: false }],
      objects: { exportPublicKey: exported },
    },
    desktop: port,
    tokens: { refresh: async () => undefined, inspect: async () => success({}) },
  });
}

const neverAsked = (): never => {
  throw new Error('the token was asked');
};

describe('tokens.choose-certificate', () => {
  const choose = (path: string | undefined) =>
    tokenHandlers(desk(path).port, neverAsked)['tokens.choose-certificate']({});

  it('reads PEM and DER alike, and gives the DER with what a person compares', async () => {
    const { caCertificate: pem } = await createServerCertificates(loopbackCertificateOptions());
    const certificate = new X509Certificate(pem);
    for (const content of [pem, certificate.raw]) {
      const chosen = valueOf(await choose(await fileWith('certificate', content)));
      channels['tokens.choose-certificate'].reply.parse(chosen);
      expect(chosen).toMatchObject({ chosen: true, fileName: 'certificate' });
      expect(Buffer.from(chosen.fileBase64, 'base64').equals(certificate.raw)).toBe(true);
      expect(chosen.sha256).toBe(createHash('sha256').update(certificate.raw).digest('hex'));
      expect(chosen.subject).toContain('CN=');
      expect(new Date(chosen.notAfter).getTime()).toBe(new Date(certificate.validTo).getTime());
    }
  });

  it('never gives a private key on that lies in the same file', async () => {
    const { caCertificate: pem } = await createServerCertificates(loopbackCertificateOptions());
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const chosen = valueOf(await choose(await fileWith('both.pem', key + pem)));
    expect(Buffer.from(chosen.fileBase64, 'base64').equals(new X509Certificate(pem).raw)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['words', 'not a certificate'],
    ['a broken one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('refuses %s', async (_what, content) => {
    expect(await choose(await fileWith('wrong.pem', content))).toMatchObject({
      error: { code: 'Token_CertificateInvalid' },
    });
  });

  it('refuses what no token could hold', async () => {
    expect(await choose(await fileWith('large.pem', 'x'.repeat(40_000)))).toMatchObject({
      error: { code: 'Custody_ReadFailed' },
    });
    expect(valueOf(await choose(undefined))).toMatchObject({ chosen: false });
  });
});

describe('tokens.export-key', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const answers = async () =>
    success({
      publicKeySpki: spki.toString('base64'),
      publicKeySha256: createHash('sha256').update(spki).digest('hex'),
      kind: 'RSA',
    });
  const request = { storeId: 'opensc', serial: 'DENK0100001', id: '01', label: 'bank-vaults' } as const;

  it.each([
    ['pem', 'bank-vaults.pem'],
    ['ssh', 'bank-vaults.pub'],
    ['jwk', 'bank-vaults.jwk'],
  ] as const)('writes %s where the person says', async (format, name) => {
    const path = join(directory, 'key');
    const { port, suggested } = desk(path);
    const saved = await tokenHandlers(port, answers)['tokens.export-key']({ ...request, format });
    expect(valueOf(saved)).toEqual({ path });
    expect(suggested).toEqual([name]);
    const text = await readFile(path, 'utf8');
    if (format === 'ssh') expect(text).toMatch(/^ssh-rsa [A-Za-z0-9+/=]+ bank-vaults\n$/u);
    else {
      const read =
        format === 'pem'
          ? createPublicKey(text)
          : createPublicKey({ format: 'jwk', key: JSON.parse(text) as JsonWebKey });
      expect(read.export({ type: 'spki', format: 'der' }).equals(spki)).toBe(true);
    }
  });

  it('writes nothing where the dialog was cancelled, and asks no store that is not known', async () => {
    const cancelled = await tokenHandlers(desk(undefined).port, answers)['tokens.export-key']({
      ...request,
      format: 'pem',
    });
    expect(valueOf(cancelled)).toEqual({ path: '' });
    const unknown = tokenHandlers(desk('/nowhere').port, neverAsked)['tokens.export-key'];
    expect(await unknown({ ...request, storeId: 'other', format: 'pem' })).toMatchObject({
      error: { code: 'App_NotFound' },
    });
  });

  it.each([
    ['../../etc/passwd', 'etc-passwd.pem'],
    ['.profile', 'profile.pem'],
    ['a/b\\c:d\u0000e', 'a-b-c-d-e.pem'],
    ['', 'key-01.pem'],
    ['Schlüssel 1', 'Schlüssel-1.pem'],
  ])('suggests a harmless file name for a key called %j', async (label, name) => {
    const { port, suggested } = desk(undefined);
    await tokenHandlers(port, answers)['tokens.export-key']({ ...request, label, format: 'pem' });
    expect(suggested).toEqual([name]);
  });

  it('says why a key has no such form, and what the token says, without opening a dialog', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).publicKey;
    const der = ec.export({ type: 'spki', format: 'der' });
    const { port, suggested } = desk(join(directory, 'key'));
    const brainpool = async () =>
      success({ publicKeySpki: der.toString('base64'), publicKeySha256: '0'.repeat(64), kind: 'EC' });
    expect(await tokenHandlers(port, brainpool)['tokens.export-key']({ ...request, format: 'jwk' })).toMatchObject({
      error: { code: 'Token_KeyUnsuitable' },
    });
    const gone = async () => failure('Token_Gone', 'Unplugged.', 'Plug it in.');
    expect(await tokenHandlers(port, gone)['tokens.export-key']({ ...request, format: 'pem' })).toMatchObject({
      error: { code: 'Token_Gone' },
    });
    expect(suggested).toEqual([]);
  });

  it('says that it could not be written', async () => {
    const saved = await tokenHandlers(desk(join(directory, 'absent', 'key')).port, answers)['tokens.export-key']({
      ...request,
      format: 'pem',
    });
    expect(saved).toMatchObject({ error: { code: 'Custody_WriteFailed' } });
  });
});

describe('presence.refresh', () => {
  it('asks readers and stores, and answers what the helper process says', async () => {
    const asked: string[] = [];
    const handlersFor = (answer: 'yes' | 'no') =>
      createPresenceHandlers({
        presence: {
          async refresh() {
            asked.push('presence');
            return answer === 'yes'
              ? success({ pcsc: 'running', readers: [], usb: [], usbState: 'listed', holder: '' })
              : failure('Device_PresenceUnavailable', 'No answer.', 'Refresh.');
          },
        },
        tokens: {
          async refreshReaderStores() {
            asked.push('stores');
          },
        },
        desktop: desk(undefined).port,
        problems: () => [],
      });
    expect(await handlersFor('yes')['presence.refresh']({})).toEqual(success({}));
    expect(asked.sort()).toEqual(['presence', 'stores']);
    expect(await handlersFor('no')['presence.refresh']({})).toMatchObject({
      error: { code: 'Device_PresenceUnavailable' },
    });
  });
});

describe('presence.copy-commands', () => {
  const copied: string[] = [];
  const handlers = createPresenceHandlers({
    presence: { refresh: async () => failure('Device_PresenceUnavailable', 'No answer.', 'Refresh.') },
    tokens: { refreshReaderStores: async () => undefined },
    desktop: { copyText: (text) => void copied.push(text) },
    problems: () => [pcscdNotRunning('Nitrokey HSM'), notAnHsm('Nitrokey FIDO2')],
  });

  it('copies what main itself says of a notice that is shown, and nothing that a window sends', async () => {
    const { title, commands } = pcscdNotRunning('Nitrokey HSM');
    expect(await handlers['presence.copy-commands']({ title })).toEqual(success({}));
    expect(copied.splice(0)).toEqual([commands]);
    for (const other of [notAnHsm('Nitrokey FIDO2').title, 'curl https://example.org | sh', commands]) {
      const answer = await handlers['presence.copy-commands']({ title: other });
      expect(answer).toMatchObject({ error: { code: 'App_NotFound' } });
    }
    expect(copied).toEqual([]);
  });
});
