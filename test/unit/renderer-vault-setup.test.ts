/** The forms of a seal migration, of Transit for a KMS plugin and of verifying encryption, and counts by key on a run's page. */
import { describe, expect, it } from 'vitest';
import type { RunView, VaultView } from '../../electron/contract/views.ts';
import { channels } from '../../electron/contract/channels.ts';
import { stepsOf } from '../../electron/workflows/definitions.ts';
import { planSchema } from '../../electron/workflows/plans.ts';
import { defaultInput } from '../../k8s-bridge/manifests/defaults.ts';
import { withLogin } from '../../renderer/features/clusters/kms-login.ts';
import { sectionsOf } from '../../renderer/features/clusters/recipe-fields.ts';
import { textAt, withValue } from '../../renderer/features/clusters/recipe-form.ts';
import {
  checkKmsVerify,
  freshKmsVerifyForm,
  type KmsVerifyForm,
} from '../../renderer/features/plans/kms-verify-form.ts';
import {
  checkSealMigration,
  freshSealMigrationForm,
  moveNode,
  targetsOf,
} from '../../renderer/features/plans/seal-migration-form.ts';
import {
  checkTransitSetup,
  otherAddress,
  vaultOf,
  withTransit,
} from '../../renderer/features/plans/transit-setup-form.ts';
import { parsePath, paths } from '../../renderer/stores/navigation-store.ts';
import { countsOf, leftToEncrypt, readByKey, rewriteProgress } from '../../renderer/views/encryption.ts';
import { clustersView, contexts } from '../screens/cluster-views.ts';
import { appView, runView, stepView, tokenView, vaultView } from './renderer-views.ts';

const pin = {
  context: 'production',
  kubeconfigPaths: ['/home/ada/.kube/config'],
  clusterName: 'production',
  server: 'https://api.example:6443',
  caSha256: '',
  userName: 'ada',
  clusterUid: '',
};

function threeNodes(change: Partial<VaultView['nodes'][number]> = {}): VaultView {
  const vault = vaultView('unsealed');
  const [node] = vault.nodes;
  if (node === undefined) throw new Error('the Vault of the views has a node');
  const nodes = ['a', 'b', 'c'].map((name) => ({
    ...node,
    address: `https://${name}.example:8200`,
    sealType: 'shamir',
    threshold: 2,
    ...change,
  }));
  return { ...vault, rehearsal: false, nodes };
}

describe('the plan of a seal migration', () => {
  const vault = threeNodes();
  const view = appView({ tokens: [tokenView()], vaults: [vault] });
  const typed = [
    { kind: 'typed', custodian: 'Ada' },
    { kind: 'typed', custodian: 'Grace' },
  ] as const;
  const form = { ...freshSealMigrationForm(view, vault.id), sources: typed };

  it('is one that the workflows take, node by node in the order that was chosen', () => {
    const moved = moveNode(form, 'https://a.example:8200', 1);
    const { plan, errors, will } = checkSealMigration(view, moved);
    expect(errors).toEqual([]);
    const parsed = planSchema.parse(plan);
    expect(parsed).toMatchObject({ workflow: 'seal-migration', sealType: 'transit', rehearsal: false });
    if (parsed.workflow !== 'seal-migration') throw new Error('another plan');
    expect(parsed.connections.map(({ address }) => new URL(address).hostname)).toEqual([
      'b.example',
      'a.example',
      'c.example',
    ]);
    expect(will.filter((line) => line.includes('typed name'))).toEqual([expect.stringContaining('b.example')]);
  });

  it('tells at each node what goes into its configuration, without a credential', () => {
    const { plan } = checkSealMigration(view, form);
    const guides = stepsOf(planSchema.parse(plan)).flatMap(({ guide }) => (guide === undefined ? [] : [guide]));
    expect(guides.length).toBe(3);
    expect(guides[0]?.example).toMatch(/^seal "transit" \{/u);
    expect(guides[0]?.example).not.toMatch(/^\s*token /mu);
    expect(guides[0]?.steps.join()).toContain('VAULT_TOKEN');
  });

  it('moves no node beyond the ends', () => {
    expect(moveNode(form, 'https://a.example:8200', -1)).toEqual(form);
    expect(moveNode(form, 'https://c.example:8200', 1)).toEqual(form);
    expect(moveNode(form, 'https://elsewhere.example', 1)).toEqual(form);
  });

  it('leads from an auto-seal to Shamir, and both ways while it is under way', () => {
    expect(targetsOf(threeNodes())).not.toContain('shamir');
    expect(targetsOf(threeNodes({ sealType: 'transit' }))).toEqual(['shamir']);
    expect(targetsOf(threeNodes({ sealType: 'transit', state: 'sealed' }))).toEqual(['shamir', 'transit']);
    const back = threeNodes({ sealType: 'transit' });
    expect(freshSealMigrationForm(appView({ vaults: [back] }), back.id).sealType).toBe('shamir');
  });

  it('says what is missing: the Vault, shares, a custodian, a Vault that has a seal', () => {
    expect(checkSealMigration(view, { ...form, vaultId: 'gone' }).errors).toEqual(['Choose a Vault.']);
    expect(checkSealMigration(view, { ...form, sources: [] }).errors.join()).toContain('at least one source');
    expect(checkSealMigration(view, { ...form, sources: typed.slice(1) }).errors.join()).toContain(
      '2 shares are needed',
    );
    expect(checkSealMigration(view, { ...form, sources: [...typed, { kind: 'typed', custodian: ' ' }] })).toMatchObject(
      {
        each: { 2: expect.stringContaining('Name the custodian') },
        plan: undefined,
      },
    );
    expect(checkSealMigration(view, { ...form, sealType: 'shamir' }).plan).toBeUndefined();
    const fresh = { ...vault, state: 'uninitialized' } as const;
    expect(checkSealMigration(appView({ vaults: [fresh] }), form).errors.join()).toContain('not initialised');
    const practice = { ...vault, rehearsal: true };
    expect(checkSealMigration(appView({ vaults: [practice] }), form).errors.join()).toContain('rehearsal');
  });
});

describe('the plan of Transit for a KMS plugin', () => {
  const vault = threeNodes();
  const view = appView({ vaults: [vault], clusters: clustersView() });
  const [context] = contexts;
  if (context === undefined) throw new Error('there are contexts in the view');
  const recipe = withTransit(defaultInput('kms-plugin'), vault);
  const form = {
    vaultId: vault.id,
    contextId: context.id,
    host: '',
    authority: undefined,
    replaceDiffering: false,
  } as const;

  it('comes from the recipe; one without Transit gets it, with this Vault’s address', () => {
    expect(textAt(recipe, 'backend.vaultAddress')).toBe('https://a.example:8200');
    expect(withTransit(recipe, vault)).toBe(recipe);
    expect(vaultOf(view, '', recipe)?.id).toBe(vault.id);
    expect(otherAddress(vault, recipe)).toBe('');
    const elsewhere = { ...recipe, backend: { kind: 'transit', vaultAddress: 'https://elsewhere.example' } };
    expect(otherAddress(vault, elsewhere)).toBe('https://elsewhere.example');
    const { request, errors, will } = checkTransitSetup(view, form, recipe, []);
    expect(errors).toEqual([]);
    expect(channels['transit.start'].request.parse(request)).toMatchObject({
      vaultId: vault.id,
      contextId: context.id,
    });
    expect(will.join()).toContain('kube-system/kleidi-vault-auth');
  });

  it('asks no cluster for a log-in by certificate, whose mount is another', () => {
    const byCertificate = withLogin(recipe, 'certificate');
    expect(textAt(byCertificate, 'backend.authMount')).toBe('cert');
    expect(textAt(withLogin(byCertificate, 'service-account'), 'backend.authMount')).toBe('kubernetes');
    const { request } = checkTransitSetup(view, { ...form, contextId: '', host: 'nonsense' }, byCertificate, []);
    expect(request).toMatchObject({ contextId: '', host: '', certificateAuthorityPem: '' });
  });

  it.each([
    ['approle', 'kubernetes', 'approle'],
    ['certificate', 'approle', 'cert'],
    ['service-account', 'cert', 'kubernetes'],
    ['approle', 'auth-of-ours', 'auth-of-ours'],
  ])('a log-in by %s takes its usual mount along, from %s to %s, in the recipe’s form too', (login, before, after) => {
    const form = withValue(recipe, 'backend.authMount', before);
    const field = sectionsOf(form)
      .flatMap(({ fields }) => fields)
      .find(({ path }) => path === 'backend.login');
    if (field?.kind !== 'choice') throw new Error('The form has no choice of a log-in.');
    expect(field.choices.map(({ value }) => value)).toContain(login);
    const changed = field.change(form, login);
    expect([textAt(changed, 'backend.login'), textAt(changed, 'backend.authMount')]).toEqual([login, after]);
  });

  it.each([
    ['Choose a Vault.', { vaultId: 'gone' }],
    ['Choose the cluster.', { contextId: '' }],
    ['Choose the cluster.', { contextId: 'made-up' }],
    ['Write the API server as https://host:6443.', { host: 'http://api.example' }],
    ['Write the API server as https://host:6443.', { host: 'javascript:alert(1)' }],
  ])('says “%s”', (words, change) => {
    const checked = checkTransitSetup(view, { ...form, ...change }, recipe, []);
    expect(checked.errors).toEqual([words]);
    expect(checked.request).toBeUndefined();
  });

  it('needs a Vault that is unsealed, and the recipe in order', () => {
    const sealed = { ...vault, state: 'sealed' } as const;
    expect(checkTransitSetup(appView({ ...view, vaults: [sealed] }), form, recipe, []).errors.join()).toContain(
      'sealed',
    );
    const problems = [
      { path: 'backend.mount', message: 'Not a path.' },
      { path: 'deployment', message: 'A static Pod has no service account token.' },
    ];
    expect(checkTransitSetup(view, form, recipe, problems)).toMatchObject({
      errors: ['Not a path.', 'In the recipe: A static Pod has no service account token.'],
      request: undefined,
    });
  });
});

describe('the plan of a verification', () => {
  const form: KmsVerifyForm = {
    ...freshKmsVerifyForm('key-custodian-kms', ['secrets', 'configmaps', 'deployments.apps', '*.batch']),
    contextId: 'a1',
    cluster: pin,
  };

  it('is one that the workflows take: inside the Pod, or by address with files', () => {
    expect(planSchema.parse(checkKmsVerify(form).plan)).toMatchObject({
      etcd: { pod: '', prefix: '/registry' },
      resources: ['secrets', 'configmaps'],
      others: ['deployments.apps'],
      reencrypt: false,
    });
    const files = { ca: '/pki/ca.crt', certificate: '/pki/client.crt', key: '/pki/client.key' };
    const byAddress = { ...form, etcd: 'address', address: ' https://10.0.0.5:2379 ', files, others: '' } as const;
    expect(planSchema.parse(checkKmsVerify({ ...byAddress, reencrypt: true }).plan)).toEqual({
      workflow: 'kms-verify',
      rehearsal: false,
      cluster: pin,
      provider: 'key-custodian-kms',
      etcd: {
        address: 'https://10.0.0.5:2379',
        caPath: files.ca,
        certificatePath: files.certificate,
        keyPath: files.key,
        prefix: '/registry',
      },
      namespace: 'default',
      resources: ['secrets', 'configmaps'],
      reencrypt: true,
    });
    expect(checkKmsVerify({ ...byAddress, files: { ...files, key: '' } }).errors.files).toContain('its key');
  });

  it.each([
    ['cluster', { cluster: undefined }],
    ['provider', { provider: 'a b; rm -rf /' }],
    ['namespace', { namespace: '--all' }],
    ['pod', { pod: '../etcd' }],
    ['address', { etcd: 'address', address: 'http://10.0.0.5:2379' }],
    ['files', { etcd: 'address', address: 'https://10.0.0.5:2379' }],
    ['prefix', { prefix: 'registry' }],
    ['kinds', { secrets: false, configmaps: false, others: '' }],
    ['others', { others: 'deployments.apps\n$(id)' }],
  ] as const)('says what is wrong with %s', (field, change) => {
    const checked = checkKmsVerify({ ...form, ...change });
    expect(checked.errors[field]).toMatch(/\.$/u);
    expect(checked.plan).toBeUndefined();
  });
});

describe('counts by key', () => {
  const run = (part: Partial<RunView> = {}): RunView =>
    runView({
      workflow: 'kms-verify',
      status: 'completed',
      steps: [
        stepView('check', 'done', { context: contexts[0]?.context ?? '' }),
        stepView('canary', 'done', { provider: 'kms:v2:plugin', kmsKeyId: 'key-2' }),
        stepView('count-secrets', 'done', {
          counted: 6,
          underKey: 1,
          underOtherKeys: 2,
          unencrypted: 3,
          byKey: '3 identity, 2 kms:v2:plugin key-1, 1 kms:v2:plugin key-2',
        }),
      ],
      ...part,
    });

  it('are read kind by kind, also where a key’s id has commas', () => {
    expect(readByKey('12 kms:v2:plugin a, 3 b, 4 identity')).toEqual([
      { kind: '', count: 12, key: 'kms:v2:plugin a, 3 b' },
      { kind: '', count: 4, key: 'identity' },
    ]);
    expect(readByKey('jobs.batch: 1 identity; leases.coordination.k8s.io: 2 aescbc:v1:key1')).toEqual([
      { kind: 'jobs.batch', count: 1, key: 'identity' },
      { kind: 'leases.coordination.k8s.io', count: 2, key: 'aescbc:v1:key1' },
    ]);
    expect(readByKey('')).toEqual([]);
    expect(countsOf(run())).toMatchObject([{ id: 'secrets', title: 'Secrets', counted: 6, underKey: 1 }]);
  });

  it('lead on to a re-encryption where something is left, in a cluster that is still there', () => {
    const view = appView({ clusters: clustersView() });
    expect(leftToEncrypt(view, run())).toMatchObject({ objects: 5, provider: 'plugin' });
    expect(leftToEncrypt(view, run({ status: 'open' }))).toBeUndefined();
    expect(leftToEncrypt(appView({}), run())).toBeUndefined();
    const place = parsePath(paths.kmsVerify('a1', 'plugin', true));
    expect(place).toEqual({ page: 'plan-kms-verify', contextId: 'a1', provider: 'plugin', reencrypt: true });
  });

  it('say how far writing again is', () => {
    const step = stepView('rewrite-secrets', 'working', { rewrittenObjects: 3, goneObjects: 1 });
    expect(rewriteProgress(run(), step)).toEqual({ done: 4, all: 6 });
    expect(rewriteProgress(run(), { ...step, id: 'rewrite-configmaps' })).toBeUndefined();
    expect(rewriteProgress(run(), { ...step, id: 'canary' })).toBeUndefined();
  });
});
