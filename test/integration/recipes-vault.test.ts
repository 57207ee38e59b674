/** HCL of the recipes before Vault itself: its server's configuration by `operator diagnose`, its policies by `policy fmt`. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findVaultBinary } from '../../electron/rehearsal/vault-binary.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { recipeVariants } from '../fixtures/recipes.ts';

let directory: string;
let vault: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-hcl-'));
  const found = await findVaultBinary();
  if (found === undefined) throw new Error('There is no Vault: set VAULT_BIN or run npm test.');
  vault = found;
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Diagnosis {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly warnings?: readonly string[];
  readonly children?: readonly Diagnosis[];
}

async function runVault(argumentList: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: directory,
      VAULT_API_ADDR: 'https://127.0.0.1:8200',
      VAULT_CLUSTER_ADDR: 'https://127.0.0.1:8201',
    };
    // diagnose ends with an exit code of its own for each finding: what it says is read.
    execFile(vault, [...argumentList], { env, timeout: 60_000 }, (_, stdout, stderr) => resolve(stdout || stderr));
  });
}

async function parseResult(hcl: string): Promise<Diagnosis | undefined> {
  const path = join(directory, 'server.hcl');
  await writeFile(path, hcl);
  const diagnosis = JSON.parse(
    await runVault(['operator', 'diagnose', `-config=${path}`, '-format=json']),
  ) as Diagnosis;
  return diagnosis.children?.find(({ name }) => name === 'Parse Configuration');
}

const hclFiles = recipeVariants.flatMap(([name, input]) =>
  renderRecipe(input)
    .files.filter(({ language }) => language === 'hcl')
    .map((file) => [`${name}: ${file.name}`, file] as const),
);
const isPolicy = (name: string): boolean => name.includes('policy');

describe('a server’s configuration is read without a word', () => {
  test.each(hclFiles.filter(([, file]) => !isPolicy(file.name)))('%s', async (_, file) => {
    const read = await parseResult(file.text);
    expect(read).toMatchObject({ status: 'ok' });
    expect(read?.warnings ?? []).toEqual([]);
    expect((await parseResult(`${file.text}\nunheard_of = 1\n`))?.warnings).toEqual([
      expect.stringContaining('unheard_of'),
    ]);
  });
});

test.each(hclFiles.filter(([, file]) => isPolicy(file.name)))(
  'Vault would write the policy of %s as it is',
  async (_, file) => {
    const path = join(directory, 'policy.hcl');
    await writeFile(path, file.text);
    expect(await runVault(['policy', 'fmt', path])).toContain('Success');
    expect(await readFile(path, 'utf8')).toBe(file.text);
  },
);
