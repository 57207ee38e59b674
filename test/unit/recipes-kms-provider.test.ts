/** What the recipe “KMS v2 plugin” writes for this project's provider, given to the provider's own reader. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KmsConfiguration } from '../../k8s-bridge/kms-provider/configuration.ts';
import { readConfiguration } from '../../k8s-bridge/kms-provider/read-configuration.ts';
import { defaultInput } from '../../k8s-bridge/manifests/defaults.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { recipeVariants, type InputOf } from '../fixtures/recipes.ts';

const variants = recipeVariants.flatMap(([name, input]) =>
  input.recipe === 'kms-plugin' && input.program === 'key-custodian' ? [[name, input] as const] : [],
);

interface Container {
  readonly args: readonly string[];
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly livenessProbe: { readonly httpGet: { readonly host: string; readonly port: number; readonly path: string } };
  readonly readinessProbe: Container['livenessProbe'];
}
interface Rendered {
  readonly configuration: string;
  readonly container: Container;
}

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-recipe-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function onlyContainer(pod: unknown): Container {
  const { containers } = pod as { readonly containers: readonly Container[] };
  const [container] = containers;
  if (container === undefined) throw new Error('The Pod has no container.');
  return container;
}

function rendered(input: InputOf<'kms-plugin'>): Rendered {
  const { content, files } = renderRecipe(input);
  if (input.deployment === 'static-pod') {
    const textOf = (name: string): string => files.find((file) => file.name === name)?.text ?? '';
    const pod = parse(textOf('kms-plugin-pod.yaml')) as { readonly spec: unknown };
    return { configuration: textOf('config.json'), container: onlyContainer(pod.spec) };
  }
  const configMap = content.objects.find(({ kind }) => kind === 'ConfigMap') as unknown as {
    readonly data: Readonly<Record<string, string>>;
  };
  const daemon = content.objects.find(({ kind }) => kind === 'DaemonSet') as unknown as {
    readonly spec: { readonly template: { readonly spec: unknown } };
  };
  return {
    configuration: configMap.data['config.json'] ?? '',
    container: onlyContainer(daemon.spec.template.spec),
  };
}

async function read(text: string): Promise<KmsConfiguration> {
  const path = join(directory, 'config.json');
  await writeFile(path, text, { mode: 0o600 });
  const result = readConfiguration({ file: path, listen: undefined, provider: undefined }, {});
  if (!result.ok) throw new Error(result.error.message);
  expect(result.value.warnings).toEqual([]);
  return result.value.configuration;
}

/** Every file that the provider reads or makes. The library is the image's own. */
function pathsOf(configuration: KmsConfiguration): readonly string[] {
  const own =
    configuration.kind === 'token'
      ? [configuration.pinFile]
      : [
          configuration.caFile,
          configuration.tokenFile,
          configuration.clientCertificateFile,
          configuration.clientKeyFile,
          configuration.roleIdFile,
          configuration.secretIdFile,
        ];
  return [configuration.listen, ...own].filter((path) => path !== undefined);
}

test('this project’s provider is what the form begins with', () => {
  expect(defaultInput('kms-plugin')).toMatchObject({ program: 'key-custodian', image: 'key-custodian/kms:0.1.0' });
  expect(variants.length).toBeGreaterThanOrEqual(4);
});

test.each(variants)('%s: the provider takes its file, every field of it', async (_, input) => {
  const { configuration, container } = rendered(input);
  const taken = await read(configuration);
  const written: unknown = JSON.parse(configuration);
  // kleidi's names go on under others; what is new keeps its own.
  const renamed = {
    transitkey: 'key',
    transitpath: 'mount',
    vaultrole: 'role',
    authmethod: 'authMethod',
    authpath: 'authMount',
  };
  for (const name of Object.keys(written as object))
    expect(Object.keys(taken)).toContain(
      name in renamed ? Object.entries(renamed).find(([old]) => old === name)?.[1] : name,
    );
  expect(container.args).toEqual(['kms', 'serve', '--config', '/etc/key-custodian/config.json']);
  for (const path of ['/etc/key-custodian/config.json', ...pathsOf(taken)])
    expect(
      container.volumeMounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`)),
      `${path} is mounted`,
    ).toBe(true);
  expect(taken.health).not.toBeNull();
  expect(container.livenessProbe.httpGet).toEqual({ ...taken.health, path: '/livez' });
  expect(container.readinessProbe.httpGet).toEqual({ ...taken.health, path: '/readyz' });
});

test.each(variants)('%s: no PIN in the file, in an argument or in the environment', async (_, input) => {
  const { configuration, container } = rendered(input);
  const taken = await read(configuration);
  expect(taken).not.toHaveProperty('pin');
  if (taken.kind === 'token') expect(taken.pinFile).toBe('/etc/kms-node/pin');
  expect(container).not.toHaveProperty('env');
});
