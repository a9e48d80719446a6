import assert from 'node:assert/strict';
import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { custom, type Scenario, thing } from '../stage.ts';
import { gadgets, widgets } from '../world.ts';

/** Versions, and what is asked with them. */
export const versions: Scenario[] = [
  {
    name: 'each write gives the object a greater version',
    async play({ api }) {
      const made = await api.create(configMaps, thing('a', {}, { step: '1' }));
      const updated = await api.update(configMaps, { ...made, data: { step: '2' } });
      const patched = await api.patch(configMaps, 'a', { type: 'merge', body: { data: { step: '3' } } });
      const read = await api.get(configMaps, 'a');
      assert.equal(read.metadata.resourceVersion, patched.metadata.resourceVersion);
      const versionsSeen = [made, updated, patched].map(({ metadata }) => Number(metadata.resourceVersion));
      assert.deepEqual(
        versionsSeen,
        versionsSeen.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(versionsSeen).size, 3);
    },
  },
  ...[configMaps, widgets, gadgets, leases].map(
    (resource) =>
      ({
        name: `an update of ${resource.resource} with an old version is a conflict and changes nothing`,
        play: async ({ api, refused }) => {
          const made = await api.create(resource, thing('a'));
          await api.update(resource, { ...made, metadata: { ...made.metadata, labels: { by: 'one' } } });
          const late = { ...made, metadata: { ...made.metadata, labels: { by: 'other' } } };
          await refused('409 Conflict', api.update(resource, late));
          const { metadata } = await api.get(resource, 'a');
          assert.deepEqual(metadata.labels, { by: 'one' });
        },
      }) satisfies Scenario,
  ),
  ...[configMaps, secrets].map(
    (resource) =>
      ({
        name: `an update of ${resource.resource} without a version replaces what is there`,
        play: async ({ api }) => {
          await api.create(resource, thing('a', { labels: { x: '1' } }, { a: 'MQ==' }));
          const updated = await api.update(resource, thing('a', {}, { b: 'Mg==' }));
          assert.deepEqual(updated.data, { b: 'Mg==' });
          assert.equal(updated.metadata.labels, undefined);
        },
      }) satisfies Scenario,
  ),
  ...[widgets, gadgets, leases].map(
    (resource) =>
      ({
        name: `an update of ${resource.resource} without a version is refused`,
        play: async ({ api, refused }) => {
          await api.create(resource, custom('a', {}));
          await refused('422 Invalid', api.update(resource, custom('a', {}, { labels: { x: '1' } })));
        },
      }) satisfies Scenario,
  ),
  {
    name: 'an update with another uid is a conflict',
    async play({ api, refused }) {
      const { metadata } = await api.create(configMaps, thing('a'));
      await refused('409 Conflict', api.update(configMaps, thing('a', { uid: 'another-uid' }, { x: '1' })));
      await api.update(configMaps, thing('a', { uid: metadata.uid ?? '' }, { x: '1' }));
    },
  },
  {
    name: 'an update of what is not there',
    async play({ api, refused }) {
      await refused('404 NotFound', api.update(configMaps, thing('a')));
      await refused('404 NotFound', api.update(widgets, custom('a', {}, { resourceVersion: '5' })));
      await refused('404 NotFound', api.patch(configMaps, 'a', { type: 'merge', body: {} }));
      await refused('404 NotFound', api.get(configMaps, 'a'));
      await refused('404 NotFound', api.getMetadata(configMaps, 'a'));
      await refused('404 NotFound', api.delete(configMaps, 'a'));
    },
  },
  {
    name: 'an update of a deleted object with its version',
    async play({ api, refused, attempt }) {
      const made = await api.create(configMaps, thing('a'));
      await api.delete(configMaps, 'a');
      await refused('404 NotFound', api.update(configMaps, { ...made, data: { x: '1' } }));
      const lease = await api.create(leases, thing('a'));
      await api.delete(leases, 'a');
      await attempt(api.update(leases, lease));
    },
  },
  {
    name: 'an update of a Lease that is not there makes it',
    async play({ api }) {
      await api.update(leases, custom('a', { holderIdentity: 'me' }));
      await api.get(leases, 'a');
    },
  },
  {
    name: 'the object in the body has another name or namespace than its address',
    async play({ api, refused, namespace }) {
      await api.create(configMaps, thing('a'));
      const elsewhere = thing('a', { namespace: 'default' });
      await refused('404 NotFound', api.update(configMaps, elsewhere));
      const rename = { type: 'merge', body: { metadata: { name: 'b' } } } as const;
      await refused('400 BadRequest', api.patch(configMaps, 'a', rename));
      const move = { type: 'merge', body: { metadata: { namespace: `${namespace}-other` } } } as const;
      await refused('400 BadRequest', api.patch(configMaps, 'a', move));
    },
  },
  {
    name: 'a patch with an old version is a conflict',
    async play({ api, refused }) {
      const { metadata } = await api.create(configMaps, thing('a', {}, { x: '1' }));
      const patch = (x: string) => ({
        type: 'merge' as const,
        body: { metadata: { resourceVersion: metadata.resourceVersion }, data: { x } },
      });
      await api.patch(configMaps, 'a', patch('2'));
      await refused('409 Conflict', api.patch(configMaps, 'a', patch('3')));
      await refused('409 Conflict', api.patch(configMaps, 'a', patch('2')));
    },
  },
  {
    name: 'a patch with another uid is refused',
    async play({ api, refused }) {
      await api.create(configMaps, thing('a', {}, { x: '1' }));
      const body = { metadata: { uid: 'another-uid' }, data: { x: '2' } };
      await refused('422 Invalid', api.patch(configMaps, 'a', { type: 'merge', body }));
    },
  },
  {
    name: 'a JSON patch that tests the version',
    async play({ api, refused }) {
      const { metadata } = await api.create(configMaps, thing('a', {}, { x: '1' }));
      const write = (value: string) => ({
        type: 'json' as const,
        operations: [
          { op: 'test' as const, path: '/metadata/resourceVersion', value: metadata.resourceVersion },
          { op: 'replace' as const, path: '/data/x', value },
        ],
      });
      await api.patch(configMaps, 'a', write('2'));
      await refused('422 Invalid', api.patch(configMaps, 'a', write('3')));
    },
  },
  {
    name: 'a version that is no number',
    async play({ api, refused }) {
      await api.create(configMaps, thing('a'));
      await refused('500 InternalError', api.update(configMaps, thing('a', { resourceVersion: 'abc' })));
    },
  },
  {
    name: 'deletion with preconditions',
    async play({ api, refused }) {
      const { metadata } = await api.create(configMaps, thing('a'));
      const now = await api.patch(configMaps, 'a', { type: 'merge', body: { data: { x: '1' } } });
      await refused('409 Conflict', api.delete(configMaps, 'a', { uid: 'another-uid' }));
      await refused(
        '409 Conflict',
        api.delete(configMaps, 'a', { resourceVersion: metadata.resourceVersion }),
      );
      await api.get(configMaps, 'a');
      const { uid, resourceVersion } = now.metadata;
      await api.delete(configMaps, 'a', { uid, resourceVersion });
      await refused('404 NotFound', api.get(configMaps, 'a'));
    },
  },
  {
    name: 'deleted and created again: another uid',
    async play({ api, refused }) {
      const first = await api.create(configMaps, thing('a'));
      await api.delete(configMaps, 'a');
      const second = await api.create(configMaps, thing('a'));
      assert.notEqual(second.metadata.uid, first.metadata.uid);
      await refused('409 Conflict', api.delete(configMaps, 'a', { uid: first.metadata.uid }));
      await refused('409 Conflict', api.update(configMaps, { ...first, data: { x: '1' } }));
    },
  },
];
