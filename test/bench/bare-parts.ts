/** The same work by hand: pkcs11js in this process and plain HTTPS requests, nothing of the product around them. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import pkcs11js, { type Handle } from 'pkcs11js';
import { decryptMechanism } from '../../native/pkcs11/templates.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import type { TestVault } from '../servers/vault-server.ts';

export interface BareToken {
  write(label: string, value: Buffer): void;
  read(label: string): Buffer;
  remove(label: string): void;
  decrypt(ciphertext: Buffer): Buffer;
  close(): void;
}

/** Logs in with pkcs11js. SOFTHSM2_CONF is set for this process. */
export function openBareToken(configurationPath: string, serial: string, testPin: string): BareToken {
  process.env['SOFTHSM2_CONF'] = configurationPath;
  const cryptoki = new pkcs11js.PKCS11();
  cryptoki.load(softHsmModulePath);
  cryptoki.C_Initialize();
  const slot = cryptoki
    .C_GetSlotList(true)
    .find((entry) => cryptoki.C_GetTokenInfo(entry).serialNumber.trim() === serial);
  if (slot === undefined) throw new Error(`No token with serial ${serial}`);
  const session = cryptoki.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION);
  cryptoki.C_Login(session, pkcs11js.CKU_USER, testPin);
  const find = (objectClass: number, label: string): Handle => {
    cryptoki.C_FindObjectsInit(session, [
      { type: pkcs11js.CKA_CLASS, value: objectClass },
      { type: pkcs11js.CKA_LABEL, value: label },
    ]);
    const [found] = cryptoki.C_FindObjects(session, 1);
    cryptoki.C_FindObjectsFinal(session);
    if (found === undefined) throw new Error(`No object ${label}`);
    return found;
  };
  const key = find(pkcs11js.CKO_PRIVATE_KEY, 'bank-vaults');
  return {
    write: (label, value) => {
      cryptoki.C_CreateObject(session, [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_DATA },
        { type: pkcs11js.CKA_TOKEN, value: true },
        { type: pkcs11js.CKA_PRIVATE, value: false },
        { type: pkcs11js.CKA_LABEL, value: label },
        { type: pkcs11js.CKA_APPLICATION, value: label },
        { type: pkcs11js.CKA_VALUE, value },
      ]);
    },
    read: (label) => {
      const [attribute] = cryptoki.C_GetAttributeValue(session, find(pkcs11js.CKO_DATA, label), [
        { type: pkcs11js.CKA_VALUE },
      ]);
      if (!Buffer.isBuffer(attribute?.value)) throw new Error(`No value ${label}`);
      return attribute.value;
    },
    remove: (label) => {
      cryptoki.C_DestroyObject(session, find(pkcs11js.CKO_DATA, label));
    },
    decrypt: (ciphertext) => {
      cryptoki.C_DecryptInit(session, decryptMechanism, key);
      return cryptoki.C_Decrypt(session, ciphertext, Buffer.alloc(256));
    },
    close: () => {
      cryptoki.C_Finalize();
    },
  };
}

export function encryptBare(publicKeySpki: string, plaintext: string): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKeySpki, 'base64'), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from(plaintext));
}

/** A connection of its own to one test Vault, kept alive between calls. */
export function openBareVault(vault: TestVault): {
  call(method: string, path: string, body: unknown, token?: string): Promise<unknown>;
  close(): void;
} {
  const agent = new Agent({ ca: readFileSync(vault.caPath), keepAlive: true });
  return {
    call: (method, path, body, token) =>
      new Promise((resolve, reject) => {
        const sent = request(
          `${vault.address}/v1/${path}`,
          { method, agent, headers: token === undefined ? {} : { 'x-vault-token': token } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => {
              const text = Buffer.concat(chunks).toString('utf8');
              if ((response.statusCode ?? 500) >= 300)
                reject(new Error(`${path}: ${String(response.statusCode)} ${text}`));
              else resolve(text === '' ? undefined : JSON.parse(text));
            });
          },
        );
        sent.on('error', reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => {
      agent.destroy();
    },
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
