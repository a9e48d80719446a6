import assert from 'node:assert/strict';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { custom, type Scenario, thing } from '../stage.ts';
import { gadgets, widgets } from '../world.ts';

/** Generation, writes that change nothing, and fields that never change. */
export const metadata: Scenario[] = [
  ...[configMaps, widgets].map(
    (resource) =>
      ({
        name: `writes to ${resource.resource} that change nothing leave the version`,
        play: async ({ api, watch, seen }) => {
          const made = await api.create(resource, thing('a', { labels: { x: '1' } }));
          const events = watch(resource, { resourceVersion: made.metadata.resourceVersion });
          const writes = [
            () => api.update(resource, made),
            () => api.patch(resource, 'a', { type: 'merge', body: { metadata: { labels: { x: '1' } } } }),
            () => api.patch(resource, 'a', { type: 'merge', body: { metadata: { labels: { none: null } } } }),
            () => api.patch(resource, 'a', { type: 'merge', body: {} }),
            () => api.patch(resource, 'a', { type: 'json', operations: [] }),
            () =>
              api.patch(resource, 'a', {
                type: 'json',
                operations: [{ op: 'replace', path: '/metadata/labels/x', value: '1' }],
              }),
            () =>
              api.patch(resource, 'a', {
                type: 'merge',
                body: { metadata: { annotations: {}, finalizers: [] } },
              }),
          ];
          for (const write of writes) {
            const answer = await write();
            assert.equal(answer.metadata.resourceVersion, made.metadata.resourceVersion);
          }
          await api.patch(resource, 'a', { type: 'merge', body: { metadata: { labels: { x: '2' } } } });
          await seen(events, 1);
        },
      }) satisfies Scenario,
  ),
  ...[widgets, gadgets].map(
    (resource) =>
      ({
        name: `the generation of ${resource.resource}`,
        play: async ({ api }) => {
          await api.create(resource, { ...custom('a', { size: 1 }), status: { ready: 1 } });
          const patch = (body: unknown) => api.patch(resource, 'a', { type: 'merge', body });
          const { metadata: labelled } = await patch({
            metadata: { labels: { x: '1' }, annotations: { x: '1' } },
          });
          assert.equal(labelled.generation, 1);
          const { metadata: resized } = await patch({ spec: { size: 2 } });
          assert.equal(resized.generation, 2);
          await patch({ metadata: { finalizers: ['example.com/keep'] } });
          await patch({ metadata: { generation: 9 } });
          await patch({ status: { ready: 2 } });
          await patch({ spec: { size: 3 }, status: { ready: 3 }, metadata: { labels: { x: '2' } } });
          const now = await api.get(resource, 'a');
          await api.update(resource, { ...now, spec: { size: 4 } });
          await api.delete(resource, 'a');
          await api.get(resource, 'a');
          await patch({ metadata: { finalizers: [] } });
        },
      }) satisfies Scenario,
  ),
  {
    name: 'fields that a patch can not change',
    async play({ api, refused, attempt }) {
      for (const resource of [configMaps, widgets]) {
        const made = await api.create(resource, thing('a', { generateName: 'unused-' }));
        const patch = (fields: object) =>
          api.patch(resource, 'a', { type: 'merge', body: { metadata: fields } });
        await attempt(patch({ creationTimestamp: '2001-01-01T00:00:00Z' }));
        await attempt(patch({ creationTimestamp: null }));
        await refused('422 Invalid', patch({ deletionTimestamp: '2001-01-01T00:00:00Z' }));
        await attempt(patch({ generateName: 'other-' }));
        await refused('422 Invalid', patch({ uid: 'another-uid' }));
        const { metadata: now } = await api.get(resource, 'a');
        assert.equal(now.creationTimestamp, made.metadata.creationTimestamp);
        assert.equal(now.deletionTimestamp, undefined);
      }
    },
  },
  {
    name: 'fields that an update can not change',
    async play({ api }) {
      for (const resource of [configMaps, widgets]) {
        const made = await api.create(resource, thing('a'));
        const { creationTimestamp: _, uid: _uid, generation: _generation, ...rest } = made.metadata;
        const first = await api.update(resource, { ...made, metadata: { ...rest, labels: { x: '1' } } });
        assert.equal(first.metadata.uid, made.metadata.uid);
        assert.equal(first.metadata.creationTimestamp, made.metadata.creationTimestamp);
        const changed = { creationTimestamp: '2001-01-01T00:00:00Z', generation: 9, generateName: 'x-' };
        await api.update(resource, { ...first, metadata: { ...first.metadata, ...changed } });
        await api.get(resource, 'a');
      }
    },
  },
  {
    name: 'immutable ConfigMaps',
    async play({ api, refused }) {
      await api.create(configMaps, Object.assign(thing('a', {}, { x: '1' }), { immutable: true }));
      const patch = (body: unknown) => api.patch(configMaps, 'a', { type: 'merge', body });
      await refused('422 Invalid', patch({ data: { x: '2' } }));
      await refused('422 Invalid', patch({ immutable: false }));
      await patch({ metadata: { labels: { x: '1' } } });
    },
  },
  {
    name: 'the metadata-only form',
    async play({ api }) {
      for (const resource of [configMaps, widgets]) {
        await api.create(resource, { ...thing('a', { labels: { x: '1' } }, { x: '1' }), spec: { size: 1 } });
        assert.deepEqual(Object.keys(await api.getMetadata(resource, 'a')).toSorted(), [
          'apiVersion',
          'kind',
          'metadata',
        ]);
        const patch = { type: 'merge', body: { metadata: { labels: { x: '2' } } } } as const;
        assert.ok(!('data' in (await api.patchMetadata(resource, 'a', patch))));
        await api.page(resource, { form: 'metadata' });
      }
    },
  },
];
