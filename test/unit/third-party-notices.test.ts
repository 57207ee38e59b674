import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { thirdPartyNotices } from '../../build/third-party-notices.ts';

const modules = join(import.meta.dirname, '../../node_modules');

it('gives each bundled package once, with its licence’s own words', async () => {
  const notices = await thirdPartyNotices([
    join(modules, 'zod/v4/core/core.js'),
    join(modules, 'zod/index.js'),
    `\0${join(modules, 'react-aria/dist/index.mjs')}?commonjs-proxy`,
    // Its licence stands in its README.
    join(modules, 'agent-base/dist/src/index.js'),
    join(import.meta.dirname, 'this-project.ts'),
    '\0rolldown/runtime.js',
  ]);
  const parts = notices.split(`\n\n${'-'.repeat(80)}\n\n`).slice(1);
  expect(parts.map((part) => part.split('\n')[0])).toEqual([
    expect.stringMatching(/^agent-base .* \(MIT\)$/u),
    expect.stringMatching(/^react-aria .* \(Apache-2\.0\)$/u),
    expect.stringMatching(/^zod .* \(MIT\)$/u),
  ]);
  for (const part of parts) expect(part).toMatch(/copyright/iu);
});

it('bundles nothing that brings no licence', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-licence-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const folder = join(directory, 'node_modules/@nobody/bare');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"name":"@nobody/bare","version":"1.0.0","license":"MIT"}');
  await writeFile(join(folder, 'README.md'), '# bare\n\nNo word of a licence.\n');
  await expect(thirdPartyNotices([join(folder, 'index.js')])).rejects.toThrow('@nobody/bare');
});
