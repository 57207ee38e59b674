/** What the channels of clusters, recipes and pushes do with ids that a window made up, and with files and folders. */
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channels } from '../../electron/contract/channels.ts';
import type { ClusterObserver } from '../../electron/ipc/cluster-observer.ts';
import type { DesktopPort } from '../../electron/ipc/desktop-port.ts';
import { createClusterHandlers } from '../../electron/ipc/handlers/clusters.ts';
import { createPushHandlers, type PushHandlerParts } from '../../electron/ipc/handlers/pushes.ts';
import { createRecipeHandlers, type RecipeHandlerParts } from '../../electron/ipc/handlers/recipes.ts';
import { createPreviews } from '../../electron/ipc/previews.ts';
import { outsidePartId } from '../../electron/ipc/views/cluster-view.ts';
import type { AccessNeed, ClusterContext, ClusterPin, OutsidePart } from '../../electron/workflows/cluster-ports.ts';
import { success } from '../../electron/workflows/failures.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { defaultInput as defaultsOf } from '../../k8s-bridge/manifests/defaults.ts';
import { exportFiles as exportRecipe } from '../../k8s-bridge/manifests/export.ts';
import { checkAndRender as renderInput } from '../../k8s-bridge/manifests/render.ts';
import { valueOf } from '../fixtures/token-port.ts';

const contextId = 'a1b2c3d4e5f60718';
const program: OutsidePart = {
  kind: 'exec-program',
  path: '/usr/local/bin/login',
  sha256: '5c'.repeat(32),
  detail: 'get token',
};
const pin: ClusterPin = {
  context: 'production',
  kubeconfigPaths: ['/home/ada/.kube/config'],
  clusterName: 'production',
  server: 'https://api.example:6443',
  caSha256: '',
  userName: 'ada',
  clusterUid: '',
};
const context: ClusterContext = {
  id: contextId,
  context: 'production',
  kubeconfigPaths: ['/home/ada/.kube/config'],
  definedIn: '/home/ada/.kube/config',
  isCurrent: true,
  clusterName: 'production',
  server: pin.server,
  caSha256: '',
  userName: 'ada',
  authentication: 'exec',
  namespace: '',
  insecure: false,
  outside: [program],
  problem: '',
};

const observer: ClusterObserver = {
  contexts: success([context]),
  kubectl: undefined,
  observed: () => undefined,
  pushes: [],
  refresh: async () => undefined,
  probe: async () => success({}),
  pin: async () => success(pin),
  isOwnPin: () => true,
  checkDrift: async () => success({}),
  forgetPush: async () => success({}),
  forget: () => undefined,
};

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-clusters-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('clusters.allow', () => {
  const handlers = (allowed: OutsidePart[]) =>
    createClusterHandlers({
      clusters: observer,
      changed: () => undefined,
      core: {
        clusters: {
          allow: async (parts) => {
            allowed.push(...parts);
            return success({});
          },
          checkRights: async () => success([]),
          defaults: defaultsOf,
          listNames: async () => success({ names: [], continueFrom: '', remaining: 0 }),
          render: renderInput,
        },
      },
    });

  it('allows the part that main listed under this id, as it is now', async () => {
    const allowed: OutsidePart[] = [];
    const partId = outsidePartId(contextId, program);
    expect(await handlers(allowed)['clusters.allow']({ contextId, partId })).toEqual(success({}));
    expect(allowed).toEqual([program]);
  });

  it.each([
    ['another id', contextId, '0123456789abcdef'],
    ['a path', contextId, '/usr/local/bin/login'],
    ['another context', 'unknown', outsidePartId(contextId, program)],
    ['the program before it changed', contextId, outsidePartId(contextId, { ...program, sha256: '5d'.repeat(32) })],
  ])('allows nothing for %s', async (_what, ofContext, partId) => {
    const allowed: OutsidePart[] = [];
    expect(await handlers(allowed)['clusters.allow']({ contextId: ofContext, partId })).toMatchObject({
      error: { code: 'App_NotFound' },
    });
    expect(allowed).toEqual([]);
  });
});

describe('clusters.rights', () => {
  it.each(['bank-vaults', 'softhsm-cluster', 'node-setup', 'pkcs11-seal', 'kms-plugin'] as const)(
    'asks for what %s needs, by the plural names of its kinds',
    async (recipe) => {
      const asked: AccessNeed[] = [];
      const handlers = createClusterHandlers({
        clusters: observer,
        changed: () => undefined,
        core: {
          clusters: {
            allow: async () => success({}),
            checkRights: async (_pin, needs) => {
              asked.push(...needs);
              return success(needs.map((need) => ({ need, allowed: true, reason: '' })));
            },
            defaults: defaultsOf,
            listNames: async () => success({ names: [], continueFrom: '', remaining: 0 }),
            render: renderInput,
          },
        },
      });
      const reply = valueOf(await handlers['clusters.rights']({ contextId, recipe }));
      channels['clusters.rights'].reply.parse(reply);
      expect(new Set(asked.map((need) => JSON.stringify(need))).size).toBe(asked.length);
      for (const { resource, verb } of asked) {
        expect(resource).toMatch(/^[a-z]+s$/u);
        expect(['get', 'create', 'patch', 'delete']).toContain(verb);
      }
    },
  );
});

function desktop(folder: string | undefined): DesktopPort {
  return {
    chooseFile: async () => undefined,
    chooseSavePath: async () => folder,
    chooseFolder: async () => folder,
    copyText: () => undefined,
    renderPdf: async () => new Uint8Array(),
  };
}

function recipeHandlers(folder: string | undefined, change: Partial<RecipeHandlerParts['core']['clusters']> = {}) {
  const previews = createPreviews();
  const handlers = createRecipeHandlers({
    desktop: desktop(folder),
    clusters: observer,
    previews,
    core: {
      clusters: {
        defaults: defaultsOf,
        render: renderInput,
        export: exportRecipe,
        preview: async (_pin, content) =>
          success({
            objects: [],
            sha256: content.objects.length.toString(16).padStart(64, '0'),
            missingRights: [],
            rightsManifest: 'kind: Role\n',
            missingKinds: [],
            warnings: [],
          }),
        ...change,
      },
    },
  });
  return { handlers, previews };
}

describe('recipes', () => {
  it.each(['bank-vaults', 'softhsm-cluster', 'node-setup', 'pkcs11-seal', 'kms-plugin'] as const)(
    '%s has defaults that are in order, and a manifest that passes its schema',
    async (recipe) => {
      const { handlers } = recipeHandlers(undefined);
      const { input } = valueOf(await handlers['recipes.defaults']({ recipe }));
      channels['recipes.defaults'].reply.parse({ input });
      const rendered = valueOf(await handlers['recipes.render']({ form: input }));
      channels['recipes.render'].reply.parse(rendered);
      expect(rendered.problems.filter((problem) => problem.path === '')).toEqual([]);
    },
  );

  it('names each field that is wrong, and renders nothing then', async () => {
    const { handlers } = recipeHandlers(undefined);
    const form = { ...defaultsOf('bank-vaults'), namespace: '--flag', name: 'a b; rm' };
    const rendered = valueOf(await handlers['recipes.render']({ form }));
    expect(rendered.problems.map((problem) => problem.path).toSorted()).toEqual(['name', 'namespace']);
    expect(rendered).toMatchObject({ manifests: '', objects: [], files: [] });
    expect(await handlers['recipes.preview']({ contextId, form })).toMatchObject({ error: { code: 'App_BadRequest' } });
    expect(await handlers['recipes.save']({ form, output: 'manifests' })).toMatchObject({
      error: { code: 'App_BadRequest' },
    });
  });

  it.each(['manifests', 'kustomize', 'helm-values'] as const)(
    'are saved as %s where the person says, for this person alone',
    async (output) => {
      const { handlers } = recipeHandlers(directory);
      const reply = valueOf(await handlers['recipes.save']({ form: defaultsOf('softhsm-cluster'), output }));
      expect(reply.folder).toBe(directory);
      const there = await readdir(directory, { recursive: true });
      for (const name of reply.files) expect(there).toContain(name);
      for (const name of reply.files) expect((await stat(join(directory, name))).mode & 0o077).toBe(0);
    },
  );

  it('are not saved where the dialog was cancelled, nor into a folder that is gone', async () => {
    const form = defaultsOf('softhsm-cluster');
    const cancelled = recipeHandlers(undefined).handlers;
    expect(valueOf(await cancelled['recipes.save']({ form, output: 'manifests' }))).toEqual({ folder: '', files: [] });
    const gone = recipeHandlers(join(directory, 'gone')).handlers;
    expect(await gone['recipes.save']({ form, output: 'manifests' })).toMatchObject({
      error: { code: 'Custody_WriteFailed' },
    });
  });

  it('never writes a file whose name leads out of the folder', async () => {
    const { handlers } = recipeHandlers(directory, {
      export: () => [{ name: '../escaped.yaml', language: 'yaml', text: 'x', place: '' }],
    });
    await expect(
      handlers['recipes.save']({ form: defaultsOf('softhsm-cluster'), output: 'manifests' }),
    ).rejects.toThrow();
    expect(await readdir(directory)).toEqual([]);
  });

  it('save the missing rights of a preview that main kept, and of no other', async () => {
    const path = join(directory, 'rights.yaml');
    const { handlers } = recipeHandlers(path);
    const { previewId } = valueOf(
      await handlers['recipes.preview']({ contextId, form: defaultsOf('softhsm-cluster') }),
    );
    expect(valueOf(await handlers['recipes.save-rights']({ previewId }))).toEqual({ path });
    expect(await readFile(path, 'utf8')).toBe('kind: Role\n');
    expect(await handlers['recipes.save-rights']({ previewId: 'preview-made-up' })).toMatchObject({
      error: { code: 'App_NotFound' },
    });
  });
});

describe('pushes', () => {
  it('are planned from what main previewed, with its pin and digest', async () => {
    const { handlers, previews } = recipeHandlers(undefined);
    const started: Plan[] = [];
    const parts = {
      clusters: observer,
      previews,
      changed: () => undefined,
      core: {
        settings: { preferences: { operatorName: 'Ada' } },
        runner: {
          start: async (plan: Plan) => {
            started.push(plan);
            return success({ runId: 'run-1' });
          },
        },
      },
    };
    // Only what a start needs of the core is there.
    const pushes = createPushHandlers(parts as unknown as PushHandlerParts);
    const form = defaultsOf('softhsm-cluster');
    const { previewId, preview } = valueOf(await handlers['recipes.preview']({ contextId, form }));
    expect(valueOf(await pushes['pushes.start']({ previewId, takeOverConflicts: true }))).toEqual({ runId: 'run-1' });
    expect(started).toMatchObject([
      {
        workflow: 'cluster-push',
        rehearsal: false,
        cluster: pin,
        recipe: form,
        previewSha256: preview.sha256,
        takeOverConflicts: true,
      },
    ]);
    expect(await pushes['pushes.start']({ previewId: 'made-up', takeOverConflicts: false })).toMatchObject({
      error: { code: 'Cluster_PreviewOutdated' },
    });
    expect(await pushes['pushes.undo']({ runId: 'made-up' })).toMatchObject({ error: { code: 'App_NotFound' } });
    expect(await pushes['pushes.forget']({ runId: '../../etc' })).toMatchObject({ error: { code: 'App_NotFound' } });
    expect(started.length).toBe(1);
  });

  it('keep the last previews only', () => {
    const previews = createPreviews();
    const kept = {
      pin,
      recipe: defaultsOf('node-setup'),
      content: { objects: [], secretSlots: [], patches: [], rollouts: [] },
      preview: {
        objects: [],
        sha256: '0'.repeat(64),
        missingRights: [],
        rightsManifest: '',
        missingKinds: [],
        warnings: [],
      },
    };
    const ids = Array.from({ length: 12 }, () => previews.keep(kept));
    expect(ids.map((id) => previews.find(id) !== undefined)).toEqual([
      ...Array.from({ length: 4 }, () => false),
      ...Array.from({ length: 8 }, () => true),
    ]);
  });
});
