/**
 * RSA-2048 decrypts a second through the token host, beside pkcs11js called directly in this process, on one
 * SoftHSM token. Rounds alternate, so that whatever else the machine does falls on both; the ratio is the
 * median over the rounds.
 *
 * Alone: npx node test/bench/token-host.ts
 */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import pkcs11js from 'pkcs11js';
import { createSealingKeyPair } from '../../electron/sealing/sealed.ts';
import { decryptMechanism } from '../../native/pkcs11/templates.ts';
import { createSoftHsmDirectory, softHsmModulePath } from '../fixtures/softhsm.ts';
import type { MeasurementRow } from './measurement-row.ts';
import { createTestTokenPort, initializeTestToken, sealTestPin, valueOf } from '../fixtures/token-port.ts';

const testPin = '24681357';
const rounds = 25;
const target = 0.9;
const decryptsPerRound = 150;
const keyLabel = 'bank-vaults';

interface TokenHostMeasurement {
  /** Decrypts a second, medians over the rounds. */
  readonly direct: number;
  readonly throughHost: number;
  /** throughHost / direct, median of the rounds' own ratios. */
  readonly ratio: number;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Logs in with pkcs11js in this process and answers a function that decrypts one ciphertext. */
function openDirectly(configurationPath: string, serial: string): { decrypt(ciphertext: Buffer): void; close(): void } {
  process.env['SOFTHSM2_CONF'] = configurationPath;
  const cryptoki = new pkcs11js.PKCS11();
  cryptoki.load(softHsmModulePath);
  cryptoki.C_Initialize();
  const slot = cryptoki.C_GetSlotList(true).find((entry) => cryptoki.C_GetTokenInfo(entry).serialNumber === serial);
  if (slot === undefined) throw new Error(`No token with serial ${serial}`);
  const session = cryptoki.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION);
  cryptoki.C_Login(session, pkcs11js.CKU_USER, testPin);
  cryptoki.C_FindObjectsInit(session, [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
    { type: pkcs11js.CKA_LABEL, value: keyLabel },
  ]);
  const [key] = cryptoki.C_FindObjects(session, 1);
  cryptoki.C_FindObjectsFinal(session);
  if (key === undefined) throw new Error(`No private key ${keyLabel}`);
  const output = Buffer.alloc(256);
  return {
    decrypt: (ciphertext) => {
      cryptoki.C_DecryptInit(session, decryptMechanism, key);
      cryptoki.C_Decrypt(session, ciphertext, output);
    },
    close: () => {
      cryptoki.C_Finalize();
    },
  };
}

/** Decrypts a second that `work` reaches. */
async function rate(work: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await work();
  return (decryptsPerRound * 1000) / (performance.now() - start);
}

async function measureTokenHost(): Promise<TokenHostMeasurement> {
  const softHsm = await createSoftHsmDirectory();
  const configurationPath = softHsm.configurationPath;
  const { port, store } = createTestTokenPort({
    modulePath: softHsmModulePath,
    softhsmConfiguration: configurationPath,
  });
  try {
    const { serial } = valueOf(
      await initializeTestToken(port, store.id, { label: 'bench', soPin: testPin, pin: testPin }),
    );
    const token = { storeId: store.id, serial };
    valueOf(await port.login(token, await sealTestPin(port, store.id, serial, testPin), false));
    const { publicKeySpki } = valueOf(await port.generateKeyPair(token, keyLabel, 2048));
    const key = createPublicKey({ key: Buffer.from(publicKeySpki, 'base64'), format: 'der', type: 'spki' });
    // A share as Vault hands it out: 66 hexadecimal digits.
    const share = Buffer.from(randomBytes(33).toString('hex'));
    const ciphertext = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, share);
    const { publicKey: recipient } = await createSealingKeyPair();
    const direct = openDirectly(configurationPath, serial);

    const workDirectly = (): void => {
      for (let count = 0; count < decryptsPerRound; count += 1) direct.decrypt(ciphertext);
    };
    const workThroughHost = async (): Promise<void> => {
      const asked = Array.from({ length: decryptsPerRound }, () =>
        port.decrypt(token, keyLabel, ciphertext, recipient, 'key share'),
      );
      for (const result of await Promise.all(asked)) valueOf(result);
    };
    workDirectly();
    await workThroughHost();
    const measured: { direct: number; throughHost: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      if (round % 2 === 0)
        measured.push({ direct: await rate(workDirectly), throughHost: await rate(workThroughHost) });
      else measured.push({ throughHost: await rate(workThroughHost), direct: await rate(workDirectly) });
    }
    direct.close();
    return {
      direct: median(measured.map((round) => round.direct)),
      throughHost: median(measured.map((round) => round.throughHost)),
      ratio: median(measured.map((round) => round.throughHost / round.direct)),
    };
  } finally {
    await port.closeAll();
    await softHsm.dispose();
  }
}

export default async function measure(): Promise<readonly MeasurementRow[]> {
  const { direct, throughHost, ratio } = await measureTokenHost();
  return [
    {
      what: 'RSA-2048 decrypts a second through the token host',
      measured: `${throughHost.toFixed(0)}, ratio ${ratio.toFixed(3)}`,
      byHand: direct.toFixed(0),
      target: `at least ${target.toString()} of pkcs11js called directly`,
      met: ratio >= target,
    },
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await measure());
