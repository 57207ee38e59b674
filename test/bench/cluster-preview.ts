/**
 * A preview of ten objects beside `kubectl diff --server-side` on the same objects, on the same API server. Both
 * answer the same question; the preview also tells conflicts and missing rights. Who goes first alternates, and
 * medians are compared. Half of the objects are there and differ, half are new.
 *
 * Alone: npx node test/bench/cluster-preview.ts
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configMap, contentOf, deployment, openPushEngine, secretOf } from '../fixtures/push-engine.ts';
import { startKubernetes } from '../servers/kubernetes.ts';
import { median, timed } from './bare-parts.ts';
import type { MeasurementRow } from './measurement-row.ts';

const rounds = 24;
/** Of them, to warm both up: kubectl's discovery and the server's caches. */
const warmUps = 4;
const target = 1.2;

/** `kubectl diff` ends with 1 where something differs. */
function diffByHand(kubectlPath: string, argumentList: readonly string[], home: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      kubectlPath,
      argumentList,
      { env: { HOME: home, PATH: '/usr/bin:/bin' }, maxBuffer: 32 * 1024 * 1024 },
      (error, output, words) => {
        if (error !== null && error.code !== 1) reject(new Error(words));
        else resolve(output);
      },
    );
  });
}

export default async function measurePreview(): Promise<readonly MeasurementRow[]> {
  const cluster = await startKubernetes();
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-preview-bench-'));
  const engine = await openPushEngine(cluster.adminKubeconfig, cluster.kubectlPath);
  try {
    const namespace = 'default';
    const ofVersion = (version: string) =>
      ['one', 'two', 'three', 'four', 'five'].flatMap((name, index) => [
        index % 2 === 0
          ? configMap(namespace, `config-${name}`, { version })
          : secretOf(namespace, `secret-${name}`, { version }),
        deployment(namespace, `vault-${name}`, `vault:${version}`),
      ]);
    const live = ofVersion('1').filter((_, index) => index % 2 === 0);
    await cluster.arrange(
      ['apply', '--server-side', '--field-manager=key-custodian', '-f', '-'],
      live.map((object) => JSON.stringify(object)).join('\n'),
    );
    const objects = ofVersion('2');
    const file = join(directory, 'objects.json');
    await writeFile(file, objects.map((object) => JSON.stringify(object)).join('\n'));
    const byHandArguments = [
      `--kubeconfig=${cluster.adminKubeconfig}`,
      'diff',
      '--server-side',
      '--field-manager=key-custodian',
      `--filename=${file}`,
    ];
    const preview = (): Promise<number> =>
      timed(async () => {
        const shown = await engine.ask('push.preview', { content: contentOf(objects) });
        if (!shown.ok || shown.value.objects.some(({ change }) => change !== 'new' && change !== 'changed')) {
          throw new Error('The preview does not show what is to be shown.');
        }
      });
    const byHand = (): Promise<number> =>
      timed(async () => {
        const text = await diffByHand(cluster.kubectlPath, byHandArguments, directory);
        if (!text.includes('vault:2')) throw new Error('kubectl diff shows nothing.');
      });
    const measured = new Map([preview, byHand].map((measure) => [measure, [] as number[]]));
    for (let round = 0; round < rounds; round += 1) {
      for (const measure of round % 2 === 0 ? [preview, byHand] : [byHand, preview]) {
        const milliseconds = await measure();
        if (round >= warmUps) measured.get(measure)?.push(milliseconds);
      }
    }
    const [ours, theirs] = [median(measured.get(preview) ?? []), median(measured.get(byHand) ?? [])];
    const ratio = ours / theirs;
    return [
      {
        what: 'Preview of a push of ten objects, beside kubectl diff on the same ones',
        measured: `${ours.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
        byHand: `${theirs.toFixed(0)} ms`,
        target: `at most ${target.toString()} times`,
        met: ratio <= target,
      },
    ];
  } finally {
    await engine.close();
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await measurePreview());
