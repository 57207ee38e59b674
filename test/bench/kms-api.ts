/**
 * What the KMS provider costs whoever uses it: Encrypt through Transit beside the bare call to the same Vault, and
 * requests to an API server that encrypts beside those to one that does not. All in turns.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { encryptionConfiguration, kmsEntry, secretList } from '../fixtures/kms-cluster.ts';
import { createKmsPlace, createKmsPlaceFor, createKmsToken } from '../fixtures/kms-provider.ts';
import { startTransitVault } from '../fixtures/transit-vault.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { median, openBareVault, timed } from './bare-parts.ts';
import { buildGoPrograms, measureCalls, memoryRow, startBundledProvider, startGoTransitPlugin } from './kms-plugins.ts';
import type { MeasurementRow } from './measurement-row.ts';

const rounds = 4;
/** Short ones, so that whatever else the machine does falls on all alike. */
const transitRounds = 16;
const transitCalls = 250;
const warmUpCalls = 1000;
/** Above the bare call, in milliseconds. */
const transitTarget = 0.3;
/** More calls, so that what they leave behind shows. */
const memoryCalls = 20_000;
const requestsPerRound = 100;
const listed = 500;
/** Kubernetes' own bar. */
const apiFactor = 1.2;

const text = (milliseconds: number): string => `${milliseconds.toFixed(3)} ms`;

async function measureTransit(programs: string): Promise<readonly MeasurementRow[]> {
  const vault = await startTransitVault('kms', { storage: 'inmem' });
  const { testRootToken } = vault;
  const tokenFile = await vault.writeSecret('token', testRootToken);
  const place = await createKmsPlaceFor(() => ({ ...vault.fields, authmethod: 'token', tokenFile }));
  const provider = await startBundledProvider(undefined, place);
  const go = await startGoTransitPlugin(programs, vault.server, 'kms', testRootToken, place.directory);
  const bare = openBareVault(vault.server);
  const body = { plaintext: randomBytes(32).toString('base64') };
  const callBare = (): Promise<unknown> => bare.call('POST', 'transit/encrypt/kms', body, testRootToken);
  const times = { bare: new Array<number>(), go: new Array<number>(), mine: new Array<number>() };
  let resident = Number.NaN;
  try {
    for (const plugin of [go, provider]) await measureCalls(programs, plugin, 'encrypt', 1, warmUpCalls);
    for (let call = 0; call < warmUpCalls; call += 1) await callBare();
    for (let round = 0; round < transitRounds; round += 1) {
      for (let call = 0; call < transitCalls; call += 1) times.bare.push(await timed(callBare));
      times.go.push(...(await measureCalls(programs, go, 'encrypt', 1, transitCalls)));
      times.mine.push(...(await measureCalls(programs, provider, 'encrypt', 1, transitCalls)));
    }
    for (const inFlight of [1, 16]) await measureCalls(programs, provider, 'encrypt', inFlight, memoryCalls);
    resident = provider.residentMemory();
  } finally {
    bare.close();
    provider.end();
    go.end();
    await place.remove();
    await vault.server.stop();
  }
  const [bareMedian, goMedian, mine] = [median(times.bare), median(times.go), median(times.mine)];
  const above = mine - bareMedian;
  return [
    {
      what: 'KMS encrypt through Transit, p50 above the bare call',
      measured: `${text(mine)}, ${text(above)} above`,
      byHand: `${text(bareMedian)}; a Go plugin: ${text(goMedian - bareMedian)} above`,
      target: `${text(transitTarget)} above`,
      met: above <= transitTarget,
    },
    memoryRow('KMS provider with Transit, resident after 45,000 calls', resident),
  ];
}

const kubeconfigSchema = z.object({
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.string(), 'client-key-data': z.string() }) }),
  ]),
});

interface ApiClient {
  call(method: 'GET' | 'POST', path: string, body?: string): Promise<void>;
  close(): void;
}

/** One kept-alive connection, as the administrator. */
async function connectApi(cluster: KubernetesServer): Promise<ApiClient> {
  const [{ user }] = kubeconfigSchema.parse(JSON.parse(await readFile(cluster.adminKubeconfig, 'utf8'))).users;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: cluster.certificateAuthority,
    cert: Buffer.from(user['client-certificate-data'], 'base64'),
    key: Buffer.from(user['client-key-data'], 'base64'),
  });
  return {
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/json' };
        const asked = request(`${cluster.address}/api/v1/${path}`, { method, agent, headers }, (response) => {
          response.resume();
          response.on('end', () => {
            if ((response.statusCode ?? 500) < 300) resolve();
            else reject(new Error(`${method} ${path}: ${String(response.statusCode)}`));
          });
        });
        asked.on('error', reject);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function secretBody(name: string): string {
  const data = { value: randomBytes(256).toString('base64') };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data });
}

const works = {
  create: (api: ApiClient, index: number) =>
    api.call('POST', 'namespaces/default/secrets', secretBody(`made-${index}`)),
  get: (api: ApiClient, index: number) => api.call('GET', `namespaces/default/secrets/listed-${index % listed}`),
  // As controllers list, as a client that names nothing does, and as kubectl does.
  'list of 500, any version': (api: ApiClient) => api.call('GET', 'namespaces/listed/secrets?resourceVersion=0'),
  'list of 500, newest': (api: ApiClient) => api.call('GET', 'namespaces/listed/secrets'),
  'list of 500, newest, in pages': (api: ApiClient) => api.call('GET', 'namespaces/listed/secrets?limit=500'),
} as const;

async function fill(cluster: KubernetesServer): Promise<void> {
  await cluster.arrange(['create', 'namespace', 'listed']);
  const secrets = secretList('listed', listed);
  await cluster.arrange(['create', '--filename=-'], secrets);
  await cluster.arrange(
    ['create', '--filename=-'],
    secrets.replaceAll('"namespace":"default"', '"namespace":"listed"'),
  );
}

async function measureApiServer(): Promise<readonly MeasurementRow[]> {
  const token = await createKmsToken();
  token.addKey('kms-key', 1, randomBytes(32));
  const place = await createKmsPlace(token);
  await mkdir(dirname(place.socketPath), { mode: 0o700 });
  const provider = await startBundledProvider(token, place);
  const encryption = join(place.directory, 'encryption.json');
  await writeFile(encryption, encryptionConfiguration([kmsEntry('measured', place.socketPath)]));
  const clusters: KubernetesServer[] = [];
  try {
    const encrypting = await startKubernetes({ extraArguments: [`--encryption-provider-config=${encryption}`] });
    clusters.push(encrypting);
    const plain = await startKubernetes();
    clusters.push(plain);
    for (const cluster of clusters) await fill(cluster);
    const [mine, other] = [await connectApi(encrypting), await connectApi(plain)];
    const rows: MeasurementRow[] = [];
    for (const [what, work] of Object.entries(works)) {
      const count = what.startsWith('list') ? 10 : requestsPerRound;
      const times: [number[], number[]] = [[], []];
      for (let index = 0; index < rounds * count; index += 1) {
        // Who goes first changes, so that neither finds the machine warmer.
        for (const which of index % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const))
          times[which].push(await timed(() => work(which === 0 ? mine : other, index)));
      }
      const [measured, byHand] = [median(times[0]), median(times[1])];
      rows.push({
        what: `API server with the KMS provider, ${what}, p50`,
        measured: text(measured),
        byHand: `${text(byHand)} (not encrypted)`,
        target: `${apiFactor} times`,
        met: measured <= byHand * apiFactor,
      });
    }
    mine.close();
    other.close();
    return rows;
  } finally {
    for (const cluster of clusters) await cluster.stop();
    provider.end();
    await place.remove();
    await token.dispose();
  }
}

export default async function measureKmsApi(): Promise<readonly MeasurementRow[]> {
  const programs = await buildGoPrograms();
  return [...(await measureTransit(programs)), ...(await measureApiServer())];
}
