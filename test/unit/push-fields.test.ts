/** Whose a field is, conflicts, and what an undo makes of an object: on managedFields as servers write them. */
import { describe, expect, test } from 'vitest';
import type { Json, Manifest } from '../../electron/workflows/cluster-ports.ts';
import { existing, removeFields, restoreFields, without } from '../../k8s-bridge/push/edit-by-fields.ts';
import { findConflicts, isStillOurs, pathsOf, unite } from '../../k8s-bridge/push/field-sets.ts';

const container = 'k:{"name":"main"}';
const port = 'k:{"containerPort":80,"protocol":"TCP"}';

function managed(...entries: readonly (readonly [string, string, Json])[]): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'vault',
      managedFields: entries.map(([manager, operation, fieldsV1]) => ({ manager, operation, fieldsV1 })),
    },
  };
}

describe('a set of fields', () => {
  test('is told as kubectl tells fields', () => {
    const fields = {
      'f:spec': { [container]: { '.': {}, 'f:image': {}, 'f:ports': { [port]: {} } }, 'f:replicas': {} },
      'f:metadata': { 'f:finalizers': { 'v:"x"': {} } },
    };
    expect(pathsOf(fields)).toEqual([
      '.spec[name="main"]',
      '.spec[name="main"].image',
      '.spec[name="main"].ports[containerPort=80,protocol="TCP"]',
      '.spec.replicas',
      '.metadata.finalizers[="x"]',
    ]);
  });

  test('of two managers is what either holds', () => {
    expect(unite({ 'f:a': {}, 'f:b': { 'f:c': {} } }, { 'f:b': { 'f:d': {} }, 'f:a': {} })).toEqual({
      'f:a': {},
      'f:b': { 'f:c': {}, 'f:d': {} },
    });
    expect(unite({ 'f:a': {} }, { 'f:a': { 'f:b': {} } })).toEqual({ 'f:a': { '.': {}, 'f:b': {} } });
  });

  test('without another’s is what one holds alone', () => {
    expect(without({ 'f:a': {}, 'f:b': { '.': {}, 'f:c': {}, 'f:d': {} } }, { 'f:b': { 'f:c': {} } })).toEqual({
      'f:a': {},
      'f:b': { '.': {}, 'f:d': {} },
    });
    expect(without({ 'f:a': { 'f:b': {} } }, { 'f:a': { 'f:b': {} } })).toBeUndefined();
  });

  test('is cut to what is there', () => {
    expect(existing({ 'f:a': {}, 'f:b': { 'f:c': {} } }, { b: { c: 1 } })).toEqual({ 'f:b': { 'f:c': {} } });
  });
});

describe('conflicts', () => {
  test('are the fields that a dry run took from others', () => {
    const live = managed(
      ['argocd', 'Apply', { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } }],
      ['helm', 'Update', { 'f:spec': { 'f:strategy': {} } }],
      ['key-custodian', 'Apply', { 'f:spec': { 'f:old': {} } }],
    );
    const taken = managed(
      ['argocd', 'Apply', { 'f:spec': { 'f:paused': {} } }],
      ['key-custodian', 'Apply', { 'f:spec': { 'f:replicas': {}, 'f:strategy': {} } }],
    );
    expect(findConflicts(live, taken)).toEqual([
      { manager: 'argocd', operation: 'Apply', field: '.spec.replicas' },
      { manager: 'helm', operation: 'Update', field: '.spec.strategy' },
    ]);
  });

  test('an object without any field of ours is not ours, unless none could be anybody’s', () => {
    const bare = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'vault' } };
    expect(isStillOurs(managed(['key-custodian', 'Apply', {}]), undefined)).toBe(true);
    expect(isStillOurs(managed(['helm', 'Update', {}]), bare)).toBe(false);
    expect(isStillOurs(bare, bare)).toBe(true);
    expect(isStillOurs(bare, { ...bare, data: {} })).toBe(false);
  });
});

describe('an undo', () => {
  test('changes back, puts back and takes away what is named, and nothing else', () => {
    const before = { a: 1, gone: 'x', kept: { theirs: 1 } };
    const now = { a: 2, added: { deep: 1 }, kept: { theirs: 2, ours: 1 }, others: 3 };
    const fields = { 'f:a': {}, 'f:gone': {}, 'f:added': { 'f:deep': {} }, 'f:kept': { 'f:ours': {} } };
    expect(restoreFields(now, before, fields)).toEqual({ a: 1, gone: 'x', kept: { theirs: 2 }, others: 3 });
  });

  test('finds items of lists by their keys, wherever they stand', () => {
    const before = {
      list: [
        { name: 'main', image: 'v1' },
        { name: 'gone', image: 'x' },
      ],
    };
    const now = { list: [{ name: 'theirs' }, { name: 'new', image: 'v2' }, { name: 'main', image: 'v2' }] };
    const fields = {
      'f:list': {
        [container]: { '.': {}, 'f:name': {}, 'f:image': {} },
        'k:{"name":"new"}': { '.': {}, 'f:name': {}, 'f:image': {} },
        'k:{"name":"gone"}': { '.': {}, 'f:name': {}, 'f:image': {} },
      },
    };
    expect(restoreFields(now, before, fields)).toEqual({
      list: [{ name: 'theirs' }, { name: 'main', image: 'v1' }, { name: 'gone', image: 'x' }],
    });
  });

  test('leaves the name to an item of which others hold a part', () => {
    const now = { list: [{ name: 'main', image: 'v2', theirs: true }] };
    const fields = { 'f:list': { [container]: { '.': {}, 'f:name': {}, 'f:image': {} } } };
    expect(restoreFields(now, {}, fields)).toEqual({ list: [{ name: 'main', theirs: true }] });
    expect(removeFields({ list: [{ name: 'main', image: 'v2' }], other: 1 }, fields)).toEqual({ other: 1 });
  });
});
