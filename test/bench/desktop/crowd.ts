/** Fills a test's cluster with as many objects as a large one has, by requests side by side over few connections. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import type { KubernetesServer } from '../../servers/kubernetes.ts';

const sideBySide = 32;

interface Admin {
  readonly users: readonly [
    { readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string } },
  ];
}

/** @throws with the server's words where it refuses one */
export async function createObjects(
  kubernetes: KubernetesServer,
  path: string,
  objects: readonly unknown[],
): Promise<void> {
  const { users } = JSON.parse(await readFile(kubernetes.adminKubeconfig, 'utf8')) as Admin;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: sideBySide,
    ca: kubernetes.certificateAuthority,
    cert: Buffer.from(users[0].user['client-certificate-data'], 'base64'),
    key: Buffer.from(users[0].user['client-key-data'], 'base64'),
  });
  const create = (object: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      const asked = request(
        `${kubernetes.address}${path}`,
        { agent, method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => {
          const said: Buffer[] = [];
          response.on('data', (chunk: Buffer) => said.push(chunk));
          response.on('end', () => {
            if (response.statusCode === 201) resolve();
            else reject(new Error(Buffer.concat(said).toString('utf8')));
          });
        },
      );
      asked.once('error', reject);
      asked.end(JSON.stringify(object));
    });
  const waiting = objects.values();
  try {
    await Promise.all(
      Array.from({ length: sideBySide }, async () => {
        for (const object of waiting) await create(object);
      }),
    );
  } finally {
    agent.destroy();
  }
}
