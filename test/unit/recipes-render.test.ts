/** What recipes become: read back by a YAML reader, held against what a cluster and an auditor want of it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { pushContentSchema, type Json, type RecipeFile } from '../../electron/workflows/cluster-ports.ts';
import { recipeInputSchema } from '../../electron/workflows/recipes/recipes.ts';
import { wantedForKmsPlugin } from '../../electron/workflows/recipes/transit-setup.ts';
import { wantedInVaultSchema } from '../../electron/workflows/vault-setup-ports.ts';
import { exportFiles } from '../../k8s-bridge/manifests/export.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { toYaml } from '../../k8s-bridge/manifests/yaml-text.ts';
import { inputOf, recipeVariants, transit } from '../fixtures/recipes.ts';

const outputs = ['manifests', 'kustomize', 'helm-values'] as const;

function fileOf(files: readonly RecipeFile[], name: string): string {
  const found = files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`There is no file ${name} among ${files.map((file) => file.name).join()}`);
  return found.text;
}

/** Values at a path of a parsed manifest; '*' for every item. */
function valuesAt(value: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (found, key) =>
      found.flatMap((item): unknown[] => {
        if (typeof item !== 'object' || item === null) return [];
        if (key === '*') return Object.values(item);
        return key in item ? [(item as Record<string, unknown>)[key]] : [];
      }),
    [value],
  );
}

describe.each(recipeVariants)('%s', (_, input) => {
  const rendered = renderRecipe(recipeInputSchema.parse(input));

  test('is what the push takes, the same each time', () => {
    expect(pushContentSchema.parse(rendered.content)).toEqual(rendered.content);
    expect(renderRecipe(input)).toEqual(rendered);
    expect(rendered.notes.length).toBeGreaterThan(0);
  });

  test('reads the same in YAML 1.1 and 1.2', () => {
    for (const manifest of rendered.content.objects) {
      for (const version of ['1.1', '1.2'] as const) expect(parse(toYaml(manifest), { version })).toEqual(manifest);
    }
    for (const file of rendered.files.filter(({ language }) => language === 'yaml')) {
      const documents = parseAllDocuments(file.text);
      expect(documents.flatMap((document) => document.errors)).toEqual([]);
      expect(documents[0]?.toJS()).toEqual(parse(file.text, { version: '1.1' }));
    }
    for (const file of rendered.files.filter(({ language }) => language === 'json')) JSON.parse(file.text);
  });

  test('holds no value of a Secret, and names each that is to come', () => {
    const secrets = rendered.content.objects.filter((manifest) => manifest['kind'] === 'Secret');
    for (const secret of secrets) {
      expect(secret).not.toHaveProperty('data');
      expect(secret).not.toHaveProperty('stringData');
    }
    for (const slot of rendered.content.secretSlots) {
      const { name, namespace } = slot.reference;
      expect(secrets).toContainEqual(
        expect.objectContaining({ metadata: expect.objectContaining({ name, namespace }) }),
      );
    }
  });

  test('puts no PIN where everybody reads it', () => {
    const text = JSON.stringify([rendered.content, rendered.files]);
    expect(text).not.toMatch(/--pin(?! env:)[ =]/u);
    expect(text).not.toMatch(/"pin"\s*:\s*"(?!%s)/u);
    expect(text).not.toMatch(/^\s*pin\s*=/mu);
  });

  test.each(outputs)('exports as %s: every name once, no Secret that waits for a value', (output) => {
    const files = exportFiles(rendered, input, output);
    expect(exportFiles(rendered, input, output)).toEqual(files);
    const names = files.map((file) => file.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/u);
    const readMe = fileOf(files, 'README.md');
    for (const slot of rendered.content.secretSlots) {
      expect(readMe).toContain(`Secret ${slot.reference.name} in namespace ${slot.reference.namespace}`);
    }
    const objects = files
      .filter(({ name, language }) => language === 'yaml' && !name.startsWith('files/'))
      .flatMap(({ text }): unknown[] => {
        const document: unknown = parse(text);
        return [document, ...valuesAt(document, 'extraObjects.*')];
      });
    expect(objects.filter((object) => valuesAt(object, 'type')[0] === 'Opaque')).toEqual([]);
    expect(files.some(({ text }) => text.includes('secretGenerator'))).toBe(false);
    const expected = rendered.content.objects.filter(
      ({ kind, type }) => !(kind === 'Secret' && type === 'Opaque' && rendered.content.secretSlots.length > 0),
    );
    for (const object of expected) expect(objects).toContainEqual(object);
    if (output === 'kustomize') {
      const kustomization = parse(fileOf(files, 'kustomization.yaml')) as { readonly resources: readonly string[] };
      expect(kustomization.resources).toEqual(names.filter((name) => name.startsWith('resources/')));
    }
  });
});

describe('containers', () => {
  const pods = recipeVariants.flatMap(([name, input]) => {
    const { content, files } = renderRecipe(input);
    const objects: unknown[] = [
      ...content.objects,
      ...files.filter((file) => file.name === 'kms-plugin-pod.yaml').map((file): unknown => parse(file.text)),
    ];
    return objects.flatMap((object) => {
      const kind = valuesAt(object, 'kind')[0];
      const spec = kind === 'Pod' ? valuesAt(object, 'spec') : valuesAt(object, 'spec.template.spec');
      return spec.map((found) => [`${name}: ${String(kind)}`, found] as const);
    });
  });

  test.each(pods)('%s: read-only, unprivileged, without the token of a service account', (_, pod) => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    });
    const containers = [...valuesAt(pod, 'containers.*'), ...valuesAt(pod, 'initContainers.*')];
    expect(containers.length).toBeGreaterThan(1);
    for (const container of containers) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
      const added = valuesAt(container, 'securityContext.capabilities.add.*');
      expect(added.filter((capability) => capability !== 'CHOWN')).toEqual([]);
      // Every mount has its volume.
      const volumes = valuesAt(pod, 'volumes.*.name');
      for (const mount of valuesAt(container, 'volumeMounts.*.name')) expect(volumes).toContain(mount);
    }
  });

  test('shell is the same whatever a form holds: what differs comes in through the environment', () => {
    const scripts = new Map<string, Set<unknown>>();
    for (const [name, pod] of pods) {
      for (const container of [...valuesAt(pod, 'containers.*'), ...valuesAt(pod, 'initContainers.*')]) {
        const [shell, option, script] = valuesAt(container, 'command.*');
        if (shell !== '/bin/sh' || option !== '-c') continue;
        const kind = `${String(valuesAt(container, 'name')[0])} ${/kleidi/u.test(name) ? 'kleidi' : ''} ${/^kms.*(?:Transit|Nitrokey)/u.test(name) ? 'makes no token' : ''}`;
        scripts.set(kind, (scripts.get(kind) ?? new Set()).add(script));
      }
    }
    expect(scripts.size).toBeGreaterThan(2);
    for (const texts of scripts.values()) expect(texts.size).toBe(1);
  });

  test('a daemon on the node is the Nitrokey’s alone, with its units and a toleration', () => {
    for (const [name, input] of recipeVariants.filter(([, { recipe }]) => recipe === 'bank-vaults')) {
      const vault = renderRecipe(input).content.objects.find(({ kind }) => kind === 'Vault');
      const isNitrokey = name.includes('Nitrokey');
      expect(valuesAt(vault, 'spec.unsealConfig.hsm.daemon')).toEqual(isNitrokey ? [true] : []);
      expect(valuesAt(vault, 'spec.resources.hsmDaemon.*.*')).toEqual(
        isNitrokey ? ['100m', '64Mi', 1, '200m', '128Mi', 1] : [],
      );
      expect(valuesAt(vault, 'spec.tolerations.*.key')).toEqual(isNitrokey ? ['nitrokey.com/hsm'] : []);
    }
  });
});

describe('the pkcs11 seal', () => {
  const stanzaOf = (change: Parameters<typeof inputOf<'pkcs11-seal'>>[1]): string =>
    fileOf(renderRecipe(inputOf('pkcs11-seal', change)).files, 'seal.hcl');
  const settings = (stanza: string): Record<string, string> =>
    Object.fromEntries(
      [...stanza.matchAll(/^ {2}(?<name>\w+) += "(?<value>.*)"$/gmu)].map(({ groups }) => [
        groups?.['name'] ?? '',
        groups?.['value'] ?? '',
      ]),
    );

  test('is written as each server reads it', () => {
    expect(settings(stanzaOf({}))).toEqual({
      lib: '/usr/lib/opensc-pkcs11.so',
      token_label: 'vault',
      key_label: 'vault-seal',
      mechanism: 'CKM_RSA_PKCS_OAEP',
      rsa_oaep_hash: 'sha256',
    });
    expect(
      settings(
        stanzaOf({
          product: 'vault-enterprise',
          mechanism: 'CKM_AES_CBC_PAD',
          hmacKeyLabel: 'mac',
          keyId: '0a',
          selectBy: { kind: 'slot', slotId: 12 },
          disabled: true,
        }),
      ),
    ).toEqual({
      lib: '/usr/lib/opensc-pkcs11.so',
      slot: '12',
      key_label: 'vault-seal',
      key_id: '0x0a',
      mechanism: '0x1085',
      hmac_key_label: 'mac',
      hmac_mechanism: '0x0251',
      generate_key: 'false',
      disabled: 'true',
    });
  });

  test('reads its PIN from the variable of its server', () => {
    const environment = (product: 'openbao' | 'vault-enterprise'): unknown =>
      parse(fileOf(renderRecipe(inputOf('pkcs11-seal', { product })).files, 'server-env.yaml'));
    expect(environment('openbao')).toMatchObject([{ name: 'BAO_HSM_PIN' }]);
    expect(environment('vault-enterprise')).toMatchObject([{ name: 'VAULT_HSM_PIN' }]);
  });
});

describe('the KMS plugin', () => {
  const kleidi = { program: 'kleidi', name: 'kleidi-kms-plugin' } as const;

  test('is mounted where the program reads its configuration', () => {
    for (const [, input] of recipeVariants) {
      if (input.recipe !== 'kms-plugin') continue;
      const { content, files } = renderRecipe(input);
      const pod: unknown =
        input.deployment === 'daemonset'
          ? valuesAt(
              content.objects.find(({ kind }) => kind === 'DaemonSet'),
              'spec.template',
            )[0]
          : parse(fileOf(files, 'kms-plugin-pod.yaml'));
      const [plugin] = valuesAt(pod, 'spec.containers.0');
      const file =
        (valuesAt(plugin, 'args.*') as string[]).map((text) => text.replace('-configfile=', '')).at(-1) ?? '';
      const mounts = valuesAt(plugin, 'volumeMounts.*') as { mountPath: string; name: string }[];
      const directory = file.slice(0, file.lastIndexOf('/'));
      expect(mounts.filter(({ mountPath }) => mountPath === directory).map(({ name }) => name)).toEqual(['config']);
      expect(mounts.map(({ mountPath }) => mountPath)).toContain(input.socketDirectory);
    }
  });

  test('names one socket in every file', () => {
    const input = inputOf('kms-plugin', { ...kleidi, socketDirectory: '/tmp/kleidi', deployment: 'static-pod' });
    const { files } = renderRecipe(input);
    const endpoint = 'unix:///tmp/kleidi/kleidi-kms-plugin.socket';
    expect(fileOf(files, 'kms-plugin-pod.yaml')).toContain(`-listen=${endpoint}`);
    expect(parse(fileOf(files, 'encryption-configuration.yaml'))).toEqual({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [
        {
          resources: ['secrets', 'configmaps'],
          providers: [
            { kms: { apiVersion: 'v2', name: 'kleidi-kms-plugin', endpoint, timeout: '5s' } },
            { identity: {} },
          ],
        },
      ],
    });
    expect(valuesAt(parse(fileOf(files, 'encryption-configuration-back.yaml')), 'resources.0.providers.*')).toEqual([
      { identity: {} },
      expect.anything(),
    ]);
  });

  test('hands kube-apiserver directories, so that a file that is replaced is seen', () => {
    const textFor = (platform: 'kubeadm' | 'rke2' | 'kind', name: string): unknown =>
      parse(fileOf(renderRecipe(inputOf('kms-plugin', { platform })).files, name));
    const volumes = [
      expect.objectContaining({ hostPath: '/etc/kubernetes/encryption', pathType: 'DirectoryOrCreate' }),
      expect.objectContaining({ hostPath: '/run/key-custodian-kms', pathType: 'DirectoryOrCreate' }),
    ];
    const arguments_ = {
      'encryption-provider-config': '/etc/kubernetes/encryption/encryption-configuration.yaml',
      'encryption-provider-config-automatic-reload': 'true',
    };
    expect(textFor('kubeadm', 'kubeadm-config.yaml')).toMatchObject({
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      apiServer: {
        extraArgs: Object.entries(arguments_).map(([name, value]) => ({ name, value })),
        extraVolumes: volumes,
      },
    });
    const [patch] = valuesAt(textFor('kind', 'kind-cluster.yaml'), 'nodes.0.kubeadmConfigPatches.0');
    expect(parse(String(patch))).toMatchObject({ apiServer: { extraArgs: arguments_, extraVolumes: volumes } });
    expect(textFor('rke2', 'rke2-config.yaml')).toMatchObject({
      'kube-apiserver-arg': Object.entries(arguments_).map(([name, value]) => `${name}=${value}`),
    });
  });

  test('says what has to be in Vault, in the words of the run that sets it up', () => {
    const input = inputOf('kms-plugin', { backend: transit });
    const cluster = {
      host: 'https://kubernetes.example.org:6443',
      certificateAuthorityPem: 'PEM',
      reviewer: { kind: 'client' },
    } as const;
    const wanted = wantedForKmsPlugin(input, cluster);
    expect(wanted.map((one) => wantedInVaultSchema.parse(one))).toEqual(wanted);
    expect(wanted.map(({ kind }) => kind)).toEqual([
      'transit-engine',
      'transit-key',
      'policy',
      'kubernetes-auth',
      'kubernetes-config',
      'kubernetes-role',
    ]);
    expect(wanted.at(-1)).toMatchObject({ serviceAccounts: ['kleidi-vault-auth'], namespaces: ['kube-system'] });
    expect(wantedForKmsPlugin(input, undefined).map(({ kind }) => kind)).not.toContain('kubernetes-config');
    expect(
      wantedForKmsPlugin(inputOf('kms-plugin', { backend: { ...transit, login: 'certificate' } }), cluster),
    ).toHaveLength(3);
    expect(
      wantedForKmsPlugin(inputOf('kms-plugin', { backend: { ...transit, login: 'approle' } }), cluster),
    ).toHaveLength(3);
    expect(wantedForKmsPlugin(inputOf('kms-plugin'), cluster)).toEqual([]);
  });
});

test('the notes for USB into minikube are shell, which stops at what fails, and come where they are wanted', async () => {
  const files = (minikube: boolean): readonly RecipeFile[] => renderRecipe(inputOf('node-setup', { minikube })).files;
  expect(files(false).map(({ name }) => name)).not.toContain('minikube-usb.sh');
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-minikube-'));
  try {
    for (const name of ['minikube', 'VBoxManage'])
      await writeFile(join(directory, name), `#!/bin/sh\necho ${name} "$*"\n`, { mode: 0o700 });
    const script = fileOf(files(true), 'minikube-usb.sh');
    const env = { PATH: `${directory}:/usr/bin:/bin` };
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { env });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'VBoxManage modifyvm minikube --usb-ehci on',
        'VBoxManage usbfilter add 0 --target minikube --name Nitrokey HSM --vendorid 20a0 --productid 4230',
        'minikube ssh -- lsusb -d 20a0:4230',
      ]),
    );
    // The machine is off when it is changed.
    expect(stdout.indexOf('minikube stop')).toBeLessThan(stdout.indexOf('modifyvm'));
    await writeFile(join(directory, 'VBoxManage'), '#!/bin/sh\nexit 1\n', { mode: 0o700 });
    await expect(promisify(execFile)('sh', ['-c', script], { env })).rejects.toMatchObject({ stdout: '' });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('node patches count two units a device, and take a device’s mark off where there is none', () => {
  const { patches } = renderRecipe(
    inputOf('node-setup', {
      nodes: [
        { name: 'a', devices: 2 },
        { name: 'b', devices: 0 },
      ],
      taint: 'NoSchedule',
    }),
  ).content;
  const told = patches.map(({ node, subresource, operations }): Json => [
    node,
    subresource,
    ...operations.map(({ path, value }) => [path, value ?? null]),
  ]);
  expect(told).toEqual([
    ['a', 'status', ['/status/capacity/nitrokey.com~1hsm', '4']],
    ['a', '', ['/metadata/labels/nitrokey.com~1hsm', 'true']],
    ['a', '', ['/spec/taints/-', { key: 'nitrokey.com/hsm', effect: 'NoSchedule' }]],
    ['b', 'status', ['/status/capacity/nitrokey.com~1hsm', '0']],
    ['b', '', ['/metadata/labels/nitrokey.com~1hsm', 'false']],
  ]);
});
