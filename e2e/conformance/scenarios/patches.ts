import assert from 'node:assert/strict';
import type { JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps, pods } from '@controller-sharding/shared/kube/resources.ts';
import { custom, type Scenario, type Stage, thing } from '../stage.ts';
import { widgets } from '../world.ts';

const json = (...operations: JsonPatchOperation[]) => ({ type: 'json', operations }) as const;
const merge = (body: unknown) => ({ type: 'merge', body }) as const;
const strategic = (body: unknown) => ({ type: 'strategic', body }) as const;

const serviceAccounts = { ...pods, resource: 'serviceaccounts', kind: 'ServiceAccount' };

const widget = ({ api }: Stage) =>
  api.create(
    widgets,
    custom(
      'a',
      { size: 1, list: ['x', 'y', 'z'], map: { 'a/b': 1, 'a~b': 2 } },
      { labels: { app: 'web' }, annotations: { note: 'x' } },
    ),
  );

/** The three types of patches that change an object that is there. */
export const patches: Scenario[] = [
  {
    name: 'JSON patch: its operations',
    async play(stage) {
      await widget(stage);
      const { api } = stage;
      await api.patch(widgets, 'a', json({ op: 'add', path: '/spec/new', value: { deep: [1] } }));
      await api.patch(widgets, 'a', json({ op: 'add', path: '/spec/list/1', value: 'between' }));
      await api.patch(widgets, 'a', json({ op: 'add', path: '/spec/list/-', value: 'end' }));
      await api.patch(widgets, 'a', json({ op: 'add', path: '/spec/size', value: 2 }));
      await api.patch(widgets, 'a', json({ op: 'replace', path: '/spec/list/0', value: 'first' }));
      await api.patch(widgets, 'a', json({ op: 'remove', path: '/spec/list/1' }));
      await api.patch(widgets, 'a', json({ op: 'remove', path: '/spec/map/a~1b' }));
      await api.patch(widgets, 'a', json({ op: 'test', path: '/spec/map/a~0b', value: 2 }));
      await api.patch(widgets, 'a', json({ op: 'test', path: '/spec/new', value: { deep: [1] } }));
      const { spec } = await api.patch(widgets, 'a', json({ op: 'add', path: '/spec/null', value: null }));
      assert.partialDeepStrictEqual(spec, { size: 2, list: ['first', 'y', 'z', 'end'], new: { deep: [1] } });
    },
  },
  {
    name: 'JSON patch: what fails changes nothing',
    async play(stage) {
      await widget(stage);
      const { api, attempt } = stage;
      const wrong: JsonPatchOperation[] = [
        { op: 'test', path: '/spec/size', value: 2 },
        { op: 'test', path: '/spec/size', value: '1' },
        { op: 'test', path: '/spec/missing', value: 1 },
        { op: 'test', path: '/spec/list', value: ['x', 'y'] },
        { op: 'remove', path: '/spec/missing' },
        { op: 'remove', path: '/spec/list/9' },
        { op: 'replace', path: '/spec/missing', value: 1 },
        { op: 'replace', path: '/spec/missing/deeper', value: 1 },
        { op: 'add', path: '/spec/missing/deeper', value: 1 },
        { op: 'add', path: '/spec/list/9', value: 'x' },
        { op: 'add', path: '/metadata/labels/bad', value: 'a b' },
      ];
      for (const operation of wrong) {
        const change: JsonPatchOperation = { op: 'replace', path: '/spec/size', value: 9 };
        await attempt(api.patch(widgets, 'a', json(change, operation)));
      }
      await api.get(widgets, 'a');
    },
  },
  {
    name: 'JSON patch: labels',
    async play({ api, attempt }) {
      await api.create(configMaps, thing('bare'));
      await api.create(configMaps, thing('a', { labels: { 'example.com/app': 'web' } }));
      const path = '/metadata/labels/example.com~1app';
      await attempt(api.patch(configMaps, 'bare', json({ op: 'add', path, value: 'x' })));
      await attempt(api.patch(configMaps, 'bare', json({ op: 'test', path, value: 'x' })));
      await attempt(
        api.patch(configMaps, 'bare', json({ op: 'test', path: '/metadata/labels', value: null })),
      );
      await api.patch(configMaps, 'bare', json({ op: 'add', path: '/metadata/labels', value: { x: '1' } }));
      await attempt(api.patch(configMaps, 'a', json({ op: 'test', path, value: null })));
      await api.patch(configMaps, 'a', json({ op: 'test', path, value: 'web' }, { op: 'remove', path }));
      await attempt(api.patchMetadata(configMaps, 'a', json({ op: 'test', path, value: null })));
    },
  },
  {
    name: 'merge patch: maps are merged, null removes, lists are replaced',
    async play(stage) {
      await widget(stage);
      const { api } = stage;
      const body = {
        metadata: { labels: { app: null, tier: '1' } },
        spec: { size: null, list: ['only'], map: { 'a/b': null, c: { d: null, e: 1 } }, missing: null },
      };
      const { spec, metadata } = await api.patch(widgets, 'a', merge(body));
      assert.deepEqual(spec, { list: ['only'], map: { 'a~b': 2, c: { e: 1 } } });
      assert.deepEqual(metadata.labels, { tier: '1' });
      await api.patch(widgets, 'a', merge({ spec: null }));
      await api.patch(widgets, 'a', merge({ spec: { again: true }, metadata: { labels: null } }));
    },
  },
  {
    name: 'merge patch: what is no patch',
    async play({ api, attempt }) {
      await api.create(configMaps, thing('a', {}, { x: '1' }));
      for (const body of [
        [],
        'text',
        { kind: 'Secret' },
        { metadata: { labels: { x: 1 } } },
        { data: { x: 1 } },
      ]) {
        await attempt(api.patch(configMaps, 'a', merge(body)));
      }
      const { data } = await api.get(configMaps, 'a');
      assert.deepEqual(data, { x: '1' });
    },
  },
  {
    name: 'strategic merge patch: lists of metadata',
    async play({ api }) {
      const { metadata: owned } = await api.create(configMaps, thing('owner'));
      const uid = owned.uid ?? '';
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid };
      const finalizers = ['example.com/one', 'example.com/two'];
      await api.create(configMaps, thing('a', { finalizers, ownerReferences: [owner], labels: { x: '1' } }));
      const patch = (metadata: object) => api.patch(configMaps, 'a', strategic({ metadata }));
      const more = await patch({ finalizers: ['example.com/three'], labels: { x: null, y: '2' } });
      assert.deepEqual(new Set(more.metadata.finalizers), new Set([...finalizers, 'example.com/three']));
      await patch({ '$deleteFromPrimitiveList/finalizers': ['example.com/one'] });
      await patch({ ownerReferences: [{ ...owner, controller: true }] });
      await patch({ ownerReferences: [{ uid, $patch: 'delete' }] });
      await patch({ finalizers: null });
    },
  },
  {
    name: 'strategic merge patch: lists with keys',
    async play({ api }) {
      await api.create(
        serviceAccounts,
        Object.assign(thing('a'), { secrets: [{ name: 'one' }, { name: 'two' }] }),
      );
      const patch = (body: object) => api.patch(serviceAccounts, 'a', strategic(body));
      await patch({ secrets: [{ name: 'three' }] });
      await patch({ secrets: [{ name: 'one', $patch: 'delete' }] });
      await patch({ secrets: [{ name: 'two', namespace: 'x' }] });
      await patch({ secrets: [{ $patch: 'replace' }, { name: 'only' }] });
      await patch({ imagePullSecrets: [{ name: 'pull' }] });
    },
  },
  {
    name: 'strategic merge patch: data, and what it replaces whole',
    async play({ api }) {
      await api.create(configMaps, thing('a', {}, { x: '1', y: '2' }));
      await api.patch(configMaps, 'a', strategic({ data: { x: null, z: '3' } }));
      const { data } = await api.patch(
        configMaps,
        'a',
        strategic({ data: { $patch: 'replace', only: '4' } }),
      );
      assert.deepEqual(data, { only: '4' });
      await api.patch(configMaps, 'a', strategic({ data: { $patch: 'delete' } }));
    },
  },
  {
    name: 'strategic merge patch: not of custom resources',
    async play(stage) {
      await widget(stage);
      const asked = stage.api.patch(widgets, 'a', strategic({ spec: { size: 2 } }));
      await stage.refused('415 UnsupportedMediaType', asked);
    },
  },
];
