import assert from 'node:assert/strict';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { type Scenario, thing } from '../stage.ts';
import { widgets } from '../world.ts';

const finalizers = ['example.com/one', 'example.com/two'];
const merge = (metadata: object) => ({ type: 'merge', body: { metadata } }) as const;

/** Deletion, and what holds it up. */
export const deletion: Scenario[] = [
  ...[configMaps, widgets].map(
    (resource) =>
      ({
        name: `${resource.resource} with finalizers go when the last one is removed`,
        play: async ({ api, watch, seen, refused }) => {
          const made = await api.create(resource, thing('a', { finalizers }));
          const events = watch(resource, { resourceVersion: made.metadata.resourceVersion });
          await api.delete(resource, 'a');
          const { metadata } = await api.get(resource, 'a');
          assert.ok(metadata.deletionTimestamp);
          await api.delete(resource, 'a');
          await api.patch(resource, 'a', merge({ labels: { still: 'there' } }));
          await api.patch(resource, 'a', merge({ finalizers: finalizers.slice(1) }));
          await api.patch(resource, 'a', merge({ finalizers: null }));
          await refused('404 NotFound', api.get(resource, 'a'));
          await seen(events, 4);
        },
      }) satisfies Scenario,
  ),
  {
    name: 'a JSON patch that removes one finalizer',
    async play({ api, refused }) {
      await api.create(configMaps, thing('a', { finalizers }));
      await api.delete(configMaps, 'a');
      const remove = (value: string) => ({
        type: 'json' as const,
        operations: [
          { op: 'test' as const, path: '/metadata/finalizers/0', value },
          { op: 'remove' as const, path: '/metadata/finalizers/0' },
        ],
      });
      await api.patch(configMaps, 'a', remove('example.com/one'));
      await refused('422 Invalid', api.patch(configMaps, 'a', remove('example.com/one')));
      await api.patch(configMaps, 'a', remove('example.com/two'));
      await refused('404 NotFound', api.get(configMaps, 'a'));
    },
  },
  {
    name: 'an update that removes the last finalizer',
    async play({ api, watch, seen, refused }) {
      const made = await api.create(configMaps, thing('a', { finalizers }, { x: '1' }));
      const events = watch(configMaps, { resourceVersion: made.metadata.resourceVersion });
      await api.delete(configMaps, 'a');
      const { metadata, ...rest } = await api.get(configMaps, 'a');
      const { finalizers: _, ...others } = metadata;
      await api.update(configMaps, { ...rest, data: { x: '2' }, metadata: others });
      await refused('404 NotFound', api.get(configMaps, 'a'));
      await seen(events, 2);
    },
  },
  {
    name: 'no finalizer is added to what is being deleted',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        await api.create(resource, thing('a', { finalizers }));
        await api.delete(resource, 'a');
        const more = merge({ finalizers: [...finalizers, 'example.com/three'] });
        await refused('422 Invalid', api.patch(resource, 'a', more));
        await api.patch(resource, 'a', merge({ finalizers: null }));
      }
    },
  },
  {
    name: 'a name is free only when its object is gone',
    async play({ api, refused }) {
      await api.create(configMaps, thing('a', { finalizers }));
      await api.delete(configMaps, 'a');
      await refused('409 AlreadyExists', api.create(configMaps, thing('a')));
      await api.patch(configMaps, 'a', merge({ finalizers: [] }));
      await api.create(configMaps, thing('a'));
    },
  },
  {
    name: 'preconditions are asked of what is being deleted, too',
    async play({ api, refused }) {
      const { metadata } = await api.create(configMaps, thing('a', { finalizers }));
      const { resourceVersion } = metadata;
      await api.delete(configMaps, 'a', { resourceVersion });
      await refused('409 Conflict', api.delete(configMaps, 'a', { resourceVersion }));
      await refused('409 Conflict', api.delete(configMaps, 'a', { uid: 'another-uid' }));
    },
  },
  {
    name: 'finalizers are removed before the deletion: nothing holds it up',
    async play({ api, refused }) {
      await api.create(configMaps, thing('a', { finalizers }));
      await api.patch(configMaps, 'a', merge({ finalizers: [] }));
      await api.delete(configMaps, 'a');
      await refused('404 NotFound', api.get(configMaps, 'a'));
    },
  },
  {
    name: 'a deletion is told with the last state and its own version',
    async play({ api, watch, seen }) {
      const made = await api.create(configMaps, thing('a', { labels: { x: '1' } }, { x: '1' }));
      const full = watch(configMaps, { resourceVersion: made.metadata.resourceVersion });
      const { resourceVersion } = made.metadata;
      const metadataOnly = watch(configMaps, { resourceVersion, form: 'metadata' });
      await api.delete(configMaps, 'a');
      await seen(full, 1);
      await seen(metadataOnly, 1);
    },
  },
];
