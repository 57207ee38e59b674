/** The tables of docs/recipes.md, line by line: what the documents set against what the recipes set. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { inputOf, transit } from '../fixtures/recipes.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Line {
  readonly path: string;
  readonly value: unknown;
}

/** ## name, then `path = JSON` lines. */
function readBlocks(text: string): ReadonlyMap<string, readonly Line[]> {
  return new Map(
    text
      .split(/^## /mu)
      .slice(1)
      .map((block) => {
        const [name = '', ...lines] = block.trim().split('\n');
        return [
          name,
          lines.map((line): Line => {
            const at = line.indexOf(' = ');
            return { path: line.slice(0, at), value: JSON.parse(line.slice(at + 3)) as unknown };
          }),
        ];
      }),
  );
}

interface Section {
  readonly same: number;
  readonly of: number;
  /** Paths, with a * at the end for all that begin so. */
  readonly different: readonly string[];
}

function readSections(markdown: string): ReadonlyMap<string, Section> {
  return new Map(
    markdown
      .split(/^### /mu)
      .slice(1)
      .map((section) => {
        const claim = /(?<same>\d+) of (?<of>\d+) lines the same/u.exec(section)?.groups;
        return [
          section.slice(0, section.indexOf('\n')),
          {
            same: Number(claim?.['same'] ?? -1),
            of: Number(claim?.['of'] ?? -1),
            different: [...section.matchAll(/^\| `(?<path>[^`]+)` +\|/gmu)].map((row) => row.groups?.['path'] ?? ''),
          },
        ];
      }),
  );
}

/** What an item of a list is known by: where it is mounted, its role, its key; else its number. */
function nameOf(item: unknown, index: number): string {
  if (typeof item !== 'object' || item === null) return String(index);
  const { containerPath, mountPath, role, hostPath } = item as Record<string, unknown>;
  for (const name of [containerPath, mountPath, role, hostPath]) if (typeof name === 'string') return name;
  const path = typeof hostPath === 'object' && hostPath !== null ? (hostPath as { path?: unknown }).path : undefined;
  return typeof path === 'string' ? path : String(index);
}

function flatten(value: unknown, path = ''): readonly Line[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    if (Array.isArray(value)) return flatten(item, `${path}[${nameOf(item, Number(key))}]`);
    // kind's patches of kubeadm are YAML inside YAML.
    if (key === 'kubeadmConfigPatches' && Array.isArray(item))
      return flatten(parse(String(item[0])), `${path}.kubeadm`);
    return flatten(item, path === '' ? key : `${path}.${key}`);
  });
}

const object = (input: RecipeInput, kind: string): unknown =>
  renderRecipe(input).content.objects.find((manifest) => manifest['kind'] === kind);
const file = (input: RecipeInput, name: string): unknown =>
  parse(renderRecipe(input).files.find((found) => found.name === name)?.text ?? '');

const nitrokey = inputOf('bank-vaults', {
  device: {
    kind: 'nitrokey',
    slotId: 0,
    daemonRequests: { cpu: '100m', memory: '64Mi' },
    daemonLimits: { cpu: '200m', memory: '128Mi' },
  },
  shares: { kind: 'device' },
});
const onKind = (clusterName: string): Pick<ReturnType<typeof inputOf<'kms-plugin'>>, 'platform' | 'kind'> => ({
  platform: 'kind',
  kind: { clusterName, nodeImage: 'kindest/node:v1.29.2' },
});
const kleidi = {
  program: 'kleidi',
  name: 'kleidi-kms-plugin',
  image: 'ghcr.io/beezy-dev/kleidi-kms-plugin:latest',
  initImage: 'ghcr.io/beezy-dev/kleidi-kms-init:latest',
  socketDirectory: '/tmp/kleidi',
} as const;
const kleidiOnSoftHsm = inputOf('kms-plugin', { ...kleidi, deployment: 'static-pod', ...onKind('kleidi-softhsm') });
const kleidiOnTransit = inputOf('kms-plugin', { ...kleidi, backend: transit, ...onKind('kleidi-vault') });

/** The forms, filled in as the documents have it. */
const rendered: Readonly<Record<string, unknown>> = {
  'bank-vaults-softhsm': object(inputOf('bank-vaults'), 'Vault'),
  'bank-vaults-nitrokey': object(nitrokey, 'Vault'),
  'bank-vaults-resources': object(nitrokey, 'Vault'),
  'node-patch': renderRecipe(inputOf('node-setup')).content.patches[0]?.operations,
  'kind-softhsm': file(kleidiOnSoftHsm, 'kind-cluster.yaml'),
  'pod-softhsm': file(kleidiOnSoftHsm, 'kms-plugin-pod.yaml'),
  'kind-vault': file(kleidiOnTransit, 'kind-cluster.yaml'),
  'vault-service-account': object(kleidiOnTransit, 'ServiceAccount'),
  'vault-token-secret': object(kleidiOnTransit, 'Secret'),
  'vault-token-review': object(kleidiOnTransit, 'ClusterRoleBinding'),
  'vault-role': file(kleidiOnTransit, 'vault-role.json'),
};

const blocks = readBlocks(read('test/fixtures/kubernetes/documents.txt'));
const sections = readSections(read('docs/recipes.md'));

describe('docs/recipes.md', () => {
  test('has a section for each block, and no other', () => {
    expect([...sections.keys()]).toEqual([...blocks.keys()]);
    expect(Object.keys(rendered)).toEqual([...blocks.keys()]);
  });

  test.each([...blocks])('%s: says which lines come out the same, and of each other one why not', (name, lines) => {
    const ours = flatten(rendered[name]);
    const isSame = ({ path, value }: Line): boolean => ours.some((line) => line.path === path && line.value === value);
    const covers = (row: string, path: string): boolean =>
      row.endsWith('*') ? path.startsWith(row.slice(0, -1)) : path === row;
    const section = sections.get(name);
    const different = lines.filter((line) => !isSame(line)).map(({ path }) => path);
    const rows = section?.different ?? [];
    expect(different.filter((path) => !rows.some((row) => covers(row, path)))).toEqual([]);
    expect(rows.filter((row) => !different.some((path) => covers(row, path)))).toEqual([]);
    const covered = lines.filter(isSame).filter(({ path }) => rows.some((row) => covers(row, path)));
    expect(covered).toEqual([]);
    expect(section).toMatchObject({ same: lines.length - different.length, of: lines.length });
  });
});
