/** Forms, marks and previews of clusters as the window draws them. */
import { describe, expect, it } from 'vitest';
import type { ClusterContextView } from '../../electron/contract/views.ts';
import { recipeInputSchema } from '../../electron/workflows/recipes/recipes.ts';
import { checkSecret, freshSecretForm, secretInWords } from '../../renderer/features/plans/secret-form.ts';
import { proposeSources } from '../../renderer/features/plans/share-sources-form.ts';
import { problemAt, valueAt, withValue, withVariant } from '../../renderer/features/clusters/recipe-form.ts';
import { recipeOrder, sectionsOf } from '../../renderer/features/clusters/recipe-fields.ts';
import { defaultInput } from '../../k8s-bridge/manifests/defaults.ts';
import { canAsk, canPush, loginInWords, markOfContext, markOfPush, pushesOf } from '../../renderer/views/clusters.ts';
import { glanceAt } from '../../renderer/views/glance.ts';
import {
  conflictsByManager,
  countsInWords,
  obstaclesOf,
  type PreviewReply,
} from '../../renderer/views/push-preview.ts';
import { changesToAnnounce } from '../../renderer/views/announcements.ts';
import { contextView, driftedPush, outsideProgram, pushView } from '../screens/cluster-views.ts';
import { appView, tokenView, vaultView } from './renderer-views.ts';

describe('a context', () => {
  const marks: readonly (readonly [string, Partial<ClusterContextView>])[] = [
    ['Reachable', {}],
    ['Not looked at', { state: 'unknown' }],
    ['Looking', { state: 'looking' }],
    ['Not reachable', { state: 'unreachable' }],
    ['Versions too far apart', { withinSkew: false }],
    ['Not allowed yet', { allowed: false, outside: [outsideProgram] }],
    ['Not verified', { insecure: true, allowed: false }],
    ['Cannot be used', { fault: 'The user is not there.', insecure: true }],
  ];
  it.each(marks)('is marked “%s” by the worst of what is known', (words, part) => {
    expect(markOfContext(contextView(part)).words).toBe(words);
  });

  it('is asked and pushed to only where nothing is in the way', () => {
    expect([canAsk(contextView()), canPush(contextView())]).toEqual([true, true]);
    expect([canAsk(contextView({ insecure: true })), canPush(contextView({ insecure: true }))]).toEqual([true, false]);
    expect(canAsk(contextView({ allowed: false }))).toBe(false);
    expect(canAsk(contextView({ fault: 'broken' }))).toBe(false);
  });
});

it.each([
  ['exec', 'a program'],
  ['exec, token', 'a program, token'],
  ['certificate, as ada, as it were', 'client certificate, acting as ada, as it were'],
  ['none', 'nothing'],
  ['toString', 'toString'],
])('the way in “%s” is told as “%s”', (authentication, words) => {
  expect(loginInWords(authentication)).toBe(words);
});

describe('a push', () => {
  it('belongs to the context of the same name and server', () => {
    const view = appView({ pushes: [pushView(), pushView({ runId: 'other', server: 'https://elsewhere.example' })] });
    expect(pushesOf(view, contextView()).map((push) => push.runId)).toEqual(['2026-11-20-push']);
  });

  it('says that it drifted, on Home, to screen readers, and no longer once it was undone', () => {
    expect(markOfPush(driftedPush).words).toBe('Has drifted');
    const before = appView({ pushes: [{ ...driftedPush, drift: { ...driftedPush.drift, state: 'checking' } }] });
    const after = appView({ pushes: [driftedPush] });
    expect(glanceAt(after)).toMatchObject({ waits: 1, drifted: [{ runId: driftedPush.runId }] });
    expect(changesToAnnounce(before, after)).toEqual(['Vault with an HSM in production has drifted']);
    expect(changesToAnnounce(after, after)).toEqual([]);
    const undone = { ...driftedPush, state: 'undone' } as const;
    expect(glanceAt(appView({ pushes: [undone] })).drifted).toEqual([]);
    expect(markOfPush(undone).words).toBe('Undone');
  });
});

describe('a recipe’s form', () => {
  it.each(recipeOrder)('%s shows each of its fields once, and every field is there in its defaults', (recipe) => {
    const form = defaultInput(recipe);
    const paths = sectionsOf(form).flatMap((section) => section.fields.map((field) => field.path));
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect({ path, value: valueAt(form, path) }).not.toEqual({ path, value: undefined });
  });

  const variants = recipeOrder.flatMap((recipe) =>
    sectionsOf(defaultInput(recipe)).flatMap((section) =>
      section.fields.flatMap((field) =>
        field.kind === 'variant' ? field.variants.map((variant) => ({ recipe, path: field.path, variant })) : [],
      ),
    ),
  );
  it.each(variants)('$recipe, $path: $variant.value brings the fields that it needs', ({ recipe, path, variant }) => {
    const form = withVariant(defaultInput(recipe), path, variant.value, variant.fields);
    expect(valueAt(form, path)).toBe(variant.value);
    const parsed = recipeInputSchema.safeParse(form);
    // Rules that span several fields may complain; a field too many or too few is this form's own fault.
    const structural = (parsed.error?.issues ?? []).filter((issue) => issue.code !== 'custom');
    expect(structural).toEqual([]);
    for (const section of sectionsOf(form))
      for (const field of section.fields) expect(valueAt(form, field.path)).not.toBe(undefined);
  });

  it('changes one field and leaves what the form does not know', () => {
    const form = withValue(defaultInput('bank-vaults'), 'device.tokenLabel', 'mine');
    expect(valueAt(form, 'device.tokenLabel')).toBe('mine');
    expect(valueAt(form, 'device.kind')).toBe('softhsm');
    expect(recipeInputSchema.safeParse(form).success).toBe(true);
  });

  it('finds what is wrong with a field, or with something in it', () => {
    const problems = [{ path: 'nodes.0.name', message: 'Use small letters.' }];
    expect(problemAt(problems, 'nodes')).toBe('Use small letters.');
    expect(problemAt(problems, 'nodes.0.name')).toBe('Use small letters.');
    expect(problemAt(problems, 'node')).toBe(undefined);
  });
});

describe('a preview', () => {
  const object = (part: Partial<PreviewReply['preview']['objects'][number]> = {}) => ({
    reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'vault', name: 'settings' },
    change: 'changed' as const,
    diff: [],
    conflicts: [],
    ownedByOthers: [],
    refusal: '',
    ...part,
  });
  const reply = (part: Partial<PreviewReply['preview']>): PreviewReply => ({
    previewId: 'preview-1',
    cluster: {
      context: 'production',
      kubeconfigPaths: ['/home/ada/.kube/config'],
      clusterName: 'production',
      server: 'https://api.example:6443',
      caSha256: '',
      userName: 'ada',
      clusterUid: '',
    },
    preview: {
      objects: [object()],
      sha256: '0'.repeat(64),
      missingRights: [],
      rightsManifest: '',
      missingKinds: [],
      warnings: [],
      ...part,
    },
  });
  const conflicts = [
    { manager: 'argocd', operation: 'Apply', field: '.data.a' },
    { manager: 'kubectl-edit', operation: 'Update', field: '.data.b' },
    { manager: 'argocd', operation: 'Apply', field: '.data.c' },
  ];

  it('can be pushed where nothing is in the way', () => {
    expect(obstaclesOf(reply({}), false)).toEqual([]);
    expect(countsInWords([object(), object({ change: 'new' }), object({ change: 'new' })])).toBe('1 changed, 2 new');
  });

  it('is held back by each thing that is in the way, and by conflicts until they are taken over', () => {
    const need = {
      verb: 'patch',
      group: '',
      resource: 'secrets',
      subresource: '',
      namespace: 'vault',
      name: '',
    } as const;
    expect(obstaclesOf(reply({ missingRights: [{ need, allowed: false, reason: '' }] }), true).length).toBe(1);
    expect(obstaclesOf(reply({ missingKinds: [{ kind: 'Vault', install: 'Install it.' }] }), true).length).toBe(1);
    expect(obstaclesOf(reply({ objects: [object({ change: 'refused' })] }), true).length).toBe(1);
    expect(obstaclesOf(reply({ objects: [object({ conflicts })] }), false).length).toBe(1);
    expect(obstaclesOf(reply({ objects: [object({ conflicts })] }), true)).toEqual([]);
    expect(obstaclesOf(reply({ objects: [] }), true).length).toBe(1);
  });

  it('names conflicts by their manager', () => {
    expect(conflictsByManager(object({ conflicts }))).toEqual([
      { manager: 'argocd', operation: 'Apply', fields: ['.data.a', '.data.c'] },
      { manager: 'kubectl-edit', operation: 'Update', fields: ['.data.b'] },
    ]);
  });
});

describe('a Secret for shares', () => {
  const cluster = {
    context: 'production',
    kubeconfigPaths: ['/home/ada/.kube/config'],
    clusterName: 'production',
    server: 'https://api.example:6443',
    caSha256: '',
    userName: 'ada',
    clusterUid: '',
  };

  it('needs a cluster that main pinned, and names as Kubernetes takes them', () => {
    const form = freshSecretForm(null);
    expect(checkSecret(form)).toMatchObject({ ok: false });
    expect(checkSecret({ ...form, cluster })).toEqual({
      ok: true,
      place: { cluster, secret: { namespace: 'default', name: 'vault-unseal-keys' } },
    });
    for (const namespace of ['', 'Vault', 'a b', '--flag', 'a.b', '-x', 'x'.repeat(64)])
      expect(checkSecret({ ...form, cluster, namespace })).toMatchObject({ ok: false });
    for (const name of ['', 'Keys', 'a/b', '$(x)', '.a', 'x'.repeat(254)])
      expect(checkSecret({ ...form, cluster, name })).toMatchObject({ ok: false });
    expect(secretInWords({ ...form, cluster })).toContain('default/vault-unseal-keys');
  });

  it('is what an unseal begins with, where this app put the shares there and their token is here', () => {
    const token = tokenView();
    const secret = { context: 'production', namespace: 'vault', name: 'keys' };
    const vault = { ...vaultView('sealed'), tokenSerial: token.serial, tokenStoreId: token.storeId };
    const proposed = (known: typeof secret | null) =>
      proposeSources(appView({ tokens: [token] }), { ...vault, secret: known }).map((source) => source.kind);
    expect(proposed(secret)).toEqual(['secret']);
    expect(proposed(null)).toEqual(['token']);
  });

  it('is the one where this app put the shares, where it knows one', () => {
    expect(freshSecretForm({ context: 'production', namespace: 'vault', name: 'keys' })).toMatchObject({
      namespace: 'vault',
      name: 'keys',
    });
  });
});
