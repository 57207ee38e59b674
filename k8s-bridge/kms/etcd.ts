/**
 * Reads keys of a cluster's etcd through its JSON gateway (etcd, "Why gRPC gateway": /v3/kv/range), with a client
 * certificate. Nothing is ever written.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { failure, success, type ClusterFailureCode, type Result } from '../../electron/workflows/failures.ts';
import type { EtcdAccess } from '../../electron/workflows/kms-ports.ts';
import { endOf, readRange, type EtcdRange, type EtcdReader } from './etcd-reader.ts';

type EtcdResult<Value> = Result<Value, ClusterFailureCode>;

const deadlineMilliseconds = 30_000;
/** 200 values of a Secret's largest size, in base64, would be more; a page is then made smaller. */
const replyLimitBytes = 16 * 1024 * 1024;

const encode = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

function unreachable(address: string, reason: string): EtcdResult<never> {
  return failure(
    'Cluster_Unreachable',
    `etcd at ${address} could not be read.`,
    'Check its address and that the certificates are those of an etcd client; on kubeadm they lie below /etc/kubernetes/pki/etcd.',
    { address, reason },
  );
}

function tooLong(address: string): EtcdResult<never> {
  return failure(
    'Cluster_UnexpectedReply',
    `etcd at ${address} answered more than can be read at once.`,
    'Show this to whoever looks after the cluster.',
    { address },
  );
}

/** @returns Cluster_Unreachable, with the file where one cannot be read */
export async function openEtcd(access: EtcdAccess): Promise<EtcdResult<EtcdReader>> {
  const files: Buffer[] = [];
  for (const path of [access.caPath, access.certificatePath, access.keyPath]) {
    try {
      files.push(await readFile(path));
    } catch (cause) {
      return unreachable(
        access.address,
        `${path}: ${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'}`,
      );
    }
  }
  const [ca, cert, key] = files;
  let agent: Agent;
  try {
    agent = new Agent({ ca, cert, key, keepAlive: true, maxSockets: 2 });
  } catch {
    return unreachable(access.address, 'The certificate and its key do not go together.');
  }

  function ask(body: Record<string, unknown>): Promise<EtcdResult<EtcdRange>> {
    return new Promise((resolve) => {
      const url = new URL('/v3/kv/range', access.address);
      const chunks: Buffer[] = [];
      const fail = (reason: string): void => {
        clearTimeout(timer);
        resolve(unreachable(access.address, reason));
      };
      let asked: ReturnType<typeof request>;
      const timer = setTimeout(() => {
        fail('no answer in time');
        asked.destroy();
      }, deadlineMilliseconds);
      try {
        asked = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (response) => {
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            chunks.push(chunk);
            if (length <= replyLimitBytes) return;
            clearTimeout(timer);
            resolve(tooLong(access.address));
            asked.destroy();
          });
          response.on('end', () => {
            clearTimeout(timer);
            if (response.statusCode !== 200) {
              resolve(unreachable(access.address, `status ${String(response.statusCode)}`));
              return;
            }
            const text = Buffer.concat(chunks);
            const range = readRange(text);
            text.fill(0);
            resolve(range === undefined ? unreachable(access.address, 'not etcd’s answer') : success(range));
          });
        });
      } catch {
        // A key that is none is met when the first connection is made.
        fail('The certificate or its key cannot be used.');
        return;
      }
      asked.on('error', (cause) => {
        fail('code' in cause ? String(cause.code) : 'the connection broke');
      });
      asked.end(JSON.stringify(body));
    });
  }

  return success({
    place: access.address,
    range: (after, prefix, limit) =>
      // The next key there can be after another is that one and a zero byte.
      ask({ key: encode(after === '' ? prefix : `${after}\0`), range_end: encode(endOf(prefix)), limit }),
    async find(name) {
      const range = await ask({ key: encode(name) });
      return range.ok ? success(range.value.entries[0]?.value) : range;
    },
    close() {
      agent.destroy();
    },
  });
}
