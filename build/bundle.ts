/**
 * Makes `out/` from the sources: CommonJS files for the processes that run on Node (main, the hosts, the
 * command line), one sandbox-safe file per preload, and the two pages. Run with Node 24: `node build/bundle.ts`.
 * `--skip-missing` leaves out entries that do not exist yet instead of failing.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { rolldown } from 'rolldown';
import { build as buildPages } from 'vite';
import { thirdPartyNotices } from './third-party-notices.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'out');
const skipMissing = process.argv.includes('--skip-missing');

/** Output name → source. The hosts are files of their own because each is started as a process. */
const nodeEntries = {
  main: 'electron/main.ts',
  'token-host': 'native/token-host.ts',
  'share-host': 'electron/shares/share-host.ts',
  'presence-host': 'native/presence/presence-host.ts',
  'cluster-host': 'k8s-bridge/cluster-host.ts',
  custodian: 'electron/command-line/custodian.ts',
} as const;

const preloadEntries = {
  preload: 'electron/preload.ts',
  'prompt-preload': 'electron/prompt-preload.ts',
} as const;

const pages = ['index.html', 'prompt.html'] as const;

/** What stays outside a bundle: Electron's own, and packages with a native half, which must lie beside it. */
const requiredBy: Readonly<Partial<Record<keyof typeof nodeEntries, readonly string[]>>> = {
  main: ['electron'],
  'token-host': ['pkcs11js', 'pcsc-mini'],
  'presence-host': ['pcsc-mini', 'usb'],
  custodian: ['pkcs11js'],
};
const external = new Set(Object.values(requiredBy).flat());

/** Everything that went into a bundle. */
const bundledModules = new Set<string>();
function remember(moduleIds: readonly string[]): void {
  for (const id of moduleIds) bundledModules.add(id);
}

const builtin = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);

function present(source: string): boolean {
  if (existsSync(join(root, source))) return true;
  if (!skipMissing) throw new Error(`${source} is missing: it is an entry of the bundle.`);
  console.log(`  ${source} is not there yet: left out`);
  return false;
}

/**
 * Bundles one entry into one file and checks that it asks for nothing but what it may.
 * @param split what is imported dynamically goes into files beside it, to be read when it is needed
 */
async function bundleScript(
  source: string,
  file: string,
  mayRequire: (name: string) => boolean,
  split = false,
): Promise<void> {
  const bundle = await rolldown({
    input: join(root, source),
    cwd: root,
    platform: 'node',
    external: (id) => external.has(id) || builtin.has(id),
    transform: { target: 'node20', define: { 'process.env.NODE_ENV': '"production"' } },
    checks: { eval: true },
    logLevel: 'warn',
  });
  try {
    const { output } = await bundle.write({
      ...(split
        ? { dir: dirname(file), entryFileNames: basename(file), chunkFileNames: `${basename(file, '.cjs')}-[name].cjs` }
        : { file, codeSplitting: false }),
      format: 'cjs',
      comments: { legal: true, annotation: false, jsdoc: false },
    });
    // What is imported dynamically is put into the same file, which some versions of rolldown count as an import of it.
    const own = new Set(output.map((chunk) => chunk.fileName));
    for (const chunk of output) {
      if (chunk.type !== 'chunk') continue;
      remember(chunk.moduleIds);
      const refused = [...chunk.imports, ...chunk.dynamicImports].filter((name) => !own.has(name) && !mayRequire(name));
      if (refused.length > 0) throw new Error(`${source} ends in a bundle that requires ${refused.join(', ')}.`);
    }
  } finally {
    await bundle.close();
  }
}

async function bundleNodeSide(): Promise<void> {
  const required = new Map(Object.entries(requiredBy));
  for (const [name, source] of Object.entries(nodeEntries)) {
    if (!present(source)) continue;
    await bundleScript(
      source,
      join(out, 'main', `${name}.cjs`),
      (wanted) => builtin.has(wanted) || required.get(name)?.includes(wanted) === true,
      // The desktop app's tray is up before its core is read; the KMS provider does without the rest of the command line.
      name === 'main' || name === 'custodian',
    );
  }
  for (const [name, source] of Object.entries(preloadEntries)) {
    if (!present(source)) continue;
    // A sandboxed preload has electron's bridge and no module system beyond it.
    await bundleScript(source, join(out, 'preload', `${name}.cjs`), (required) => required === 'electron');
  }
  // package.json says "module"; the bundles are CommonJS, by their name and by this.
  await writeFile(join(out, 'main', 'package.json'), '{ "type": "commonjs" }\n');
}

async function bundlePages(): Promise<void> {
  const renderer = join(root, 'renderer');
  const input = pages.filter((page) => present(`renderer/${page}`)).map((page) => join(renderer, page));
  if (input.length === 0) return;
  await buildPages({
    root: renderer,
    base: './',
    configFile: false,
    logLevel: 'warn',
    plugins: [
      react(),
      {
        name: 'remember-modules',
        generateBundle: (_, bundle) => {
          for (const chunk of Object.values(bundle)) if (chunk.type === 'chunk') remember(chunk.moduleIds);
        },
      },
    ],
    build: {
      outDir: join(out, 'renderer'),
      emptyOutDir: true,
      target: 'chrome130',
      sourcemap: false,
      // Nothing inline: the pages' policy allows files of their own origin only.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input },
    },
  });
}

/** The policy would refuse an inline script at run time; better to hear of it here. */
async function checkPages(): Promise<void> {
  for (const page of pages) {
    const path = join(out, 'renderer', page);
    if (!existsSync(path)) continue;
    const text = await readFile(path, 'utf8');
    if (/<script(?![^>]*\bsrc=)[^>]*>/i.test(text) || /\son[a-z]+\s*=/i.test(text) || /<style[\s>]/i.test(text))
      throw new Error(`${page} holds an inline script, style or handler: the content security policy refuses it.`);
  }
}

async function copyIcons(): Promise<void> {
  const target = join(out, 'icons');
  await mkdir(target, { recursive: true });
  for (const name of await readdir(join(root, 'build/icons'))) {
    if (name.endsWith('.png')) await cp(join(root, 'build/icons', name), join(target, name));
  }
}

const started = performance.now();
for (const folder of ['main', 'preload', 'renderer', 'icons']) {
  await rm(join(out, folder), { recursive: true, force: true });
}
await mkdir(join(out, 'main'), { recursive: true });
await bundleNodeSide();
await bundlePages();
await checkPages();
await copyIcons();
await writeFile(join(out, 'main', 'third-party-notices.txt'), await thirdPartyNotices(bundledModules));
await writeFile(join(out, '.bundled'), `${new Date().toISOString()}\n`);
console.log(`  bundled in ${((performance.now() - started) / 1000).toFixed(1)} s`);
