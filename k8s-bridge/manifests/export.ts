/** Recipes as files for git. Deterministic, and without a secret: what is typed at a push is only named. */
import type {
  Manifest,
  RecipeFile,
  RecipeOutput,
  RenderedRecipe,
  SecretValueSlot,
} from '../../electron/workflows/cluster-ports.ts';
import type { RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { referenceOf } from './objects.ts';
import { pinVariable } from './pkcs11-seal.ts';
import { vaultChartValues } from './softhsm-cluster.ts';
import { toYaml } from './yaml-text.ts';

function isAwaited(manifest: Manifest, slots: readonly SecretValueSlot[]): boolean {
  const { kind, namespace, name } = referenceOf(manifest);
  return slots.some(
    ({ reference }) => reference.kind === kind && reference.namespace === namespace && reference.name === name,
  );
}

/** 02-configmap-softhsm.yaml: the order of the push, then what it is. */
function fileName(manifest: Manifest, index: number): string {
  const { kind, name } = referenceOf(manifest);
  return `${String(index + 1).padStart(2, '0')}-${kind.toLowerCase()}-${name}.yaml`;
}

function secretLines(slots: readonly SecretValueSlot[]): readonly string[] {
  const secrets = new Map<string, { namespace: string; name: string; slots: SecretValueSlot[] }>();
  for (const slot of slots) {
    const { namespace, name } = slot.reference;
    const key = `${namespace}/${name}`;
    const entry = secrets.get(key) ?? { namespace, name, slots: [] };
    entry.slots.push(slot);
    secrets.set(key, entry);
  }
  return [...secrets.values()].map(
    (secret) =>
      `- Secret ${secret.name} in namespace ${secret.namespace}, with ${secret.slots.map(({ key, what }) => `${key} (${what})`).join(' and ')}. \`custodian recipe push\` asks for it; by hand, read each value from a terminal or a file of your own, never from an argument.`,
  );
}

function readMe(rendered: RenderedRecipe, input: RecipeInput, contents: readonly RecipeFile[]): RecipeFile {
  const section = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n## ${title}\n\n${lines.join('\n')}\n`;
  return {
    name: 'README.md',
    language: 'text',
    text: `# Recipe ${input.recipe}\n\nRendered by Key Custodian. No file here holds a secret.\n${section(
      'Files',
      contents.map(({ name, place }) => `- ${name}: ${place}`),
    )}${section('Secrets that are made apart', secretLines(rendered.content.secretSlots))}${section(
      'To know beforehand',
      rendered.notes.map((note) => `- ${note}`),
    )}`,
    place: 'What is here, what is not, and what to know.',
  };
}

const withFolder = (folder: string, files: readonly RecipeFile[]): readonly RecipeFile[] =>
  files.map((file) => ({ ...file, name: `${folder}/${file.name}` }));

/** Objects as files, without the Secrets that wait for a value. */
function objectFiles(rendered: RenderedRecipe, folder: string): readonly RecipeFile[] {
  const { objects, secretSlots } = rendered.content;
  return objects
    .filter((manifest) => !isAwaited(manifest, secretSlots))
    .map((manifest, index) => ({
      name: `${folder}/${fileName(manifest, index)}`,
      language: 'yaml' as const,
      text: toYaml(manifest),
      place: 'An object of the push; the numbers are its order.',
    }));
}

function patchFiles(rendered: RenderedRecipe): readonly RecipeFile[] {
  return rendered.content.patches.map((patch, index) => ({
    name: `patches/${String(index + 1).padStart(2, '0')}-${patch.node}${patch.subresource === '' ? '' : `-${patch.subresource}`}.json`,
    language: 'json' as const,
    text: `${JSON.stringify(patch.operations, null, 2)}\n`,
    place: patch.summary,
  }));
}

function kustomization(rendered: RenderedRecipe): readonly RecipeFile[] {
  const resources = objectFiles(rendered, 'resources');
  return [
    {
      name: 'kustomization.yaml',
      language: 'yaml',
      text: toYaml(
        {
          apiVersion: 'kustomize.config.k8s.io/v1beta1',
          kind: 'Kustomization',
          resources: resources.map((file) => file.name),
        },
        {
          header:
            rendered.content.secretSlots.length === 0
              ? 'Rendered by Key Custodian.'
              : 'Rendered by Key Custodian. Secrets are made apart (README.md): a generator would need their values here.',
        },
      ),
      place: 'Read by kustomize and by kubectl apply -k.',
    },
    ...resources,
  ];
}

/** Values for the chart that the recipe's server is installed with; objects of its own go in as further manifests. */
function helmValues(rendered: RenderedRecipe, input: RecipeInput): readonly RecipeFile[] {
  const { objects, secretSlots } = rendered.content;
  const extra = objects.filter((manifest) => !isAwaited(manifest, secretSlots));
  const server = (() => {
    if (input.recipe === 'softhsm-cluster') return vaultChartValues(input);
    if (input.recipe !== 'pkcs11-seal') return {};
    return {
      server: {
        extraSecretEnvironmentVars: [
          { envName: pinVariable[input.product], secretName: input.pinSecret.name, secretKey: input.pinSecret.key },
        ],
        volumes: [{ name: 'pkcs11-seal', configMap: { name: input.configMap } }],
        volumeMounts: [{ name: 'pkcs11-seal', mountPath: '/vault/seal', readOnly: true }],
        extraArgs: '-config=/vault/seal/seal.hcl',
      },
    };
  })();
  return [
    {
      name: 'values.yaml',
      language: 'yaml',
      text: toYaml(
        { ...server, ...(extra.length === 0 ? {} : { extraObjects: extra }) },
        {
          header:
            'server: values of the charts of Vault and OpenBao. extraObjects: for a chart that takes further manifests\nunder this name; with another, hand them over as it asks, or keep them as manifests.',
        },
      ),
      place: 'Handed to helm with --values.',
    },
  ];
}

/**
 * @param output manifests: one file an object; kustomize: the same under a kustomization; helm-values: one values.yaml
 * @returns paths relative to one folder, in a fixed order; every name once
 */
export function exportFiles(rendered: RenderedRecipe, input: RecipeInput, output: RecipeOutput): readonly RecipeFile[] {
  const objects = {
    manifests: () => objectFiles(rendered, 'manifests'),
    kustomize: () => kustomization(rendered),
    'helm-values': () => helmValues(rendered, input),
  }[output]();
  const files = [...objects, ...patchFiles(rendered), ...withFolder('files', rendered.files)];
  return [readMe(rendered, input, files), ...files];
}
