/** The KMS provider's key in a Transit engine of Vault or OpenBao. */
import { z } from 'zod';
import { noAnnotations, type Backend, type Health } from '../backend.ts';
import { kleidiName, type TransitConfiguration } from '../configuration.ts';
import type { Sealed } from '../grpc/messages.ts';
import { answered, grpcStatus, refused, type Outcome } from '../grpc/outcome.ts';
import { additionalData, hasKleidiMark } from '../ciphertext-marks.ts';
import type { Log } from '../log.ts';
import { readTransitKeys, type TransitKeys } from './transit-keys.ts';
import { openVaultHttp, refusalOf, type VaultReply } from './vault-http.ts';
import { createVaultLogin } from './vault-login.ts';

const healthSchema = z.object({ sealed: z.boolean(), cluster_id: z.string().default('') });
const encryptedSchema = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v\d+:/u) }) });
const decryptedSchema = z.object({ data: z.object({ plaintext: z.base64() }) });

/** What a check encrypts and decrypts. */
const trial = Buffer.from('key-custodian kms check', 'ascii');
const kleidiKeyId = new RegExp(`^${kleidiName}_\\d+_\\d+$`, 'u');

const encoded = (bytes: Buffer): string => bytes.toString('base64');

/** Opens the connection's files at once. Throws what the file system throws. */
export function createTransitBackend(configuration: TransitConfiguration, log: Log): Backend {
  const { mount, key } = configuration;
  const http = openVaultHttp(configuration);
  const login = createVaultLogin(configuration, http, log);
  let keys: TransitKeys | undefined;
  let checking: Promise<Health> | undefined;

  /** With the token of the moment; once more with a fresh one where Vault does not take it. */
  const ask = async (
    what: string,
    call: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object },
    deadline: number,
  ): Promise<Outcome<VaultReply>> => {
    for (let attempt = 0; ; attempt += 1) {
      const token = await login.token(deadline);
      if (!token.ok) return token;
      const reply = await http.call({ ...call, token: token.value, deadline });
      if (!reply.ok || reply.value.status === 200) return reply;
      if (reply.value.status !== 403 || attempt > 0) return refusalOf(reply.value, what);
      login.forget(token.value);
    }
  };
  const encryptWith = async (
    { latest, currentKeyId }: TransitKeys,
    plaintext: Buffer,
    deadline: number,
  ): Promise<Outcome<Sealed>> => {
    // The version is named, so that a rotation in between cannot make the answer another key's.
    const body = {
      plaintext: encoded(plaintext),
      associated_data: encoded(additionalData(currentKeyId)),
      key_version: latest,
    };
    const reply = await ask(
      'encrypt with the key',
      { method: 'POST', path: `${mount}/encrypt/${key}`, body },
      deadline,
    );
    if (!reply.ok) return reply;
    const made = encryptedSchema.safeParse(reply.value.body);
    if (!made.success || !made.data.data.ciphertext.startsWith(`vault:v${latest}:`))
      return refused('internal', 'Vault encrypted with another version of the key than it was asked for.');
    const ciphertext = Buffer.from(made.data.data.ciphertext, 'ascii');
    return answered({ ciphertext, keyId: currentKeyId, annotations: noAnnotations });
  };
  const decryptWith = async (
    ciphertext: Buffer,
    aad: Buffer | undefined,
    deadline: number,
  ): Promise<Outcome<Buffer>> => {
    const body = {
      ciphertext: ciphertext.toString('ascii'),
      ...(aad === undefined ? {} : { associated_data: encoded(aad) }),
    };
    const reply = await ask(
      'decrypt with the key',
      { method: 'POST', path: `${mount}/decrypt/${key}`, body },
      deadline,
    );
    if (!reply.ok) return reply;
    const opened = decryptedSchema.safeParse(reply.value.body);
    return opened.success
      ? answered(Buffer.from(opened.data.data.plaintext, 'base64'))
      : refused('internal', 'Vault answered a decryption in an unknown form.');
  };
  const refresh = async (deadline: number): Promise<Outcome<TransitKeys>> => {
    const health = await http.call({
      method: 'GET',
      path: 'sys/health?standbyok=true&perfstandbyok=true',
      withNamespace: false,
      deadline,
    });
    if (!health.ok) return health;
    const server = healthSchema.safeParse(health.value.body);
    if (!server.success) return refused('unavailable', 'What answers at this address is no Vault.');
    if (server.data.sealed) return refused('unavailable', 'Vault is sealed. Unseal it.');
    const reply = await ask('read the key', { method: 'GET', path: `${mount}/keys/${key}` }, deadline);
    if (!reply.ok) return reply;
    const read = readTransitKeys(reply.value.body, configuration, server.data.cluster_id);
    if ('problem' in read) return refused('failedPrecondition', read.problem);
    if (read.currentKeyId !== keys?.currentKeyId)
      log('info', keys === undefined ? 'The key that writes.' : 'Another key writes from now on.', {
        keyId: read.currentKeyId,
      });
    keys = read;
    return answered(read);
  };
  const tryKey = async (found: TransitKeys, deadline: number): Promise<Outcome<Buffer>> => {
    const sealed = await encryptWith(found, trial, deadline);
    return sealed.ok ? decryptWith(sealed.value.ciphertext, additionalData(found.currentKeyId), deadline) : sealed;
  };
  const renewCertificates = (): void => {
    const renewal = http.renewCertificates();
    if (renewal.kind === 'replaced') log('info', 'Certificate files were replaced, and read.');
    if (renewal.kind === 'unusable')
      log('warning', 'Certificate files were replaced by what cannot be used: the earlier ones stay in use.', {
        reason: renewal.reason,
      });
  };
  const look = async (deadline: number): Promise<Health> => {
    renewCertificates();
    const found = await refresh(deadline);
    const tried = found.ok ? await tryKey(found.value, deadline) : found;
    const keyId = keys?.currentKeyId ?? '';
    return tried.ok ? { healthy: true, keyId } : { healthy: false, keyId, reason: tried.words };
  };
  return {
    check: (deadline) => {
      checking ??= look(deadline).finally(() => {
        checking = undefined;
      });
      return checking;
    },
    encrypt: async (plaintext, deadline) => {
      const known = keys === undefined ? await refresh(deadline) : answered(keys);
      if (!known.ok) return known;
      const sealed = await encryptWith(known.value, plaintext, deadline);
      if (sealed.ok || sealed.status !== grpcStatus.invalidArgument) return sealed;
      // An older version than Vault still lets write: somebody rotated and raised min_encryption_version.
      const anew = await refresh(deadline);
      return anew.ok && anew.value.latest !== known.value.latest
        ? encryptWith(anew.value, plaintext, deadline)
        : sealed;
    },
    decrypt: async (sealed, deadline) => {
      const { ciphertext, keyId, annotations } = sealed;
      if (kleidiKeyId.test(keyId)) {
        return hasKleidiMark(annotations)
          ? decryptWith(ciphertext, undefined, deadline)
          : refused('invalidArgument', 'kleidi’s mark is missing from the annotations.');
      }
      if (keys?.versions.has(keyId) !== true) {
        const anew = await refresh(deadline);
        if (!anew.ok) return anew;
      }
      const version = keys?.versions.get(keyId);
      if (version === undefined) return refused('notFound', 'The Transit key has no version of that key id any more.');
      if (annotations.size > 0 || !ciphertext.toString('latin1').startsWith(`vault:v${version}:`))
        return refused('invalidArgument', 'The ciphertext or its annotations were changed, or belong to another key.');
      return decryptWith(ciphertext, additionalData(keyId), deadline);
    },
    close: () => http.close(),
  };
}
