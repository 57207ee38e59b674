/** A real toxiproxy in front of one server of the tests: a wire that can be made slow or dead while it is in use. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultCacheDirectory, findOnPath } from '../../electron/rehearsal/vault-binary.ts';
import { findFreePort } from '../../electron/rehearsal/vault-server.ts';
import { startServerProcess } from './kubernetes-processes.ts';

export interface Toxiproxy {
  /** On 127.0.0.1: what is sent here reaches the server. */
  readonly port: number;
  /** What the server answers is so much later, in milliseconds; 0 for not at all. Connections stay. */
  delay(milliseconds: number): Promise<void>;
  /** Takes no more connections and ends those that are open, or goes on. */
  setReachable(reachable: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** TOXIPROXY_BIN, PATH, or what build/setup/toxiproxy.mjs built of these versions. */
async function findToxiproxy(): Promise<string> {
  const versions = await readFile(new URL('../../build/servers/toxiproxy/go.mod', import.meta.url));
  const hash = createHash('sha256').update(versions).digest('hex').slice(0, 12);
  const cached = join(defaultCacheDirectory(), 'servers', `toxiproxy-${hash}`, 'toxiproxy-server');
  const named = [process.env['TOXIPROXY_BIN'], await findOnPath('toxiproxy-server', process.env['PATH']), cached];
  const found = named.find((path) => path !== undefined && existsSync(path));
  if (found === undefined)
    throw new Error('No toxiproxy was found: `npm test` builds one, or name it in TOXIPROXY_BIN.');
  return found;
}

const proxySchema = z.object({ listen: z.string().regex(/:\d+$/u) });
const name = 'server';

/** @param targetPort on 127.0.0.1 */
export async function startToxiproxy(targetPort: number): Promise<Toxiproxy> {
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-toxiproxy-'));
  const port = await findFreePort();
  const argumentList = ['-host', '127.0.0.1', '-port', String(port)];
  const process = await startServerProcess(await findToxiproxy(), argumentList, directory, join(directory, 'log'));
  const stop = async (): Promise<void> => {
    await process.kill();
    await rm(directory, { recursive: true, force: true });
  };
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const reply = await fetch(`http://127.0.0.1:${port}/${path}`, {
      method,
      // Browsers are refused by their name, and Node's fetch has one.
      headers: { 'user-agent': 'test' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`toxiproxy: ${method} ${path}: ${reply.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const create = async (): Promise<unknown> => {
    const wanted = { name, listen: '127.0.0.1:0', upstream: `127.0.0.1:${targetPort}`, enabled: true };
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask('POST', 'proxies', wanted);
      } catch (cause) {
        if (attempt === 100 || process.hasEnded()) throw cause;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  try {
    const { listen } = proxySchema.parse(await create());
    const toxic = { type: 'latency', name: 'delay', stream: 'downstream' };
    let isDelayed = false;
    return {
      port: Number(listen.slice(listen.lastIndexOf(':') + 1)),
      delay: async (milliseconds) => {
        if (isDelayed) await ask('DELETE', `proxies/${name}/toxics/delay`);
        isDelayed = milliseconds > 0;
        if (isDelayed) await ask('POST', `proxies/${name}/toxics`, { ...toxic, attributes: { latency: milliseconds } });
      },
      setReachable: async (enabled) => {
        // Without its address it would listen on another port afterwards.
        await ask('POST', `proxies/${name}`, { enabled, listen });
      },
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}
