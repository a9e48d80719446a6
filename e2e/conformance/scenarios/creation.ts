import assert from 'node:assert/strict';
import { configMaps, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import type { Resource } from '@controller-sharding/shared/kube/types.ts';
import { custom, type Scenario, thing } from '../stage.ts';
import { fleets, gadgets, widgets } from '../world.ts';

const unknown: Resource = { ...widgets, resource: 'gizmos', kind: 'Gizmo' };

/** What comes into being, and what may not. */
export const creation: Scenario[] = [
  {
    name: 'what the server fills in',
    async play({ api }) {
      for (const resource of [configMaps, widgets, gadgets]) {
        const { metadata } = await api.create(resource, thing('a', { labels: { x: '1' } }));
        assert.ok(metadata.uid && metadata.resourceVersion && metadata.creationTimestamp);
      }
    },
  },
  {
    name: 'what the server does not take from the sender',
    async play({ api }) {
      const metadata = {
        uid: 'mine',
        creationTimestamp: '2001-01-01T00:00:00Z',
        generation: 7,
        deletionTimestamp: '2001-01-01T00:00:00Z',
      };
      for (const resource of [configMaps, widgets]) {
        const made = await api.create(resource, thing('a', metadata));
        assert.notEqual(made.metadata.uid, 'mine');
        assert.equal(made.metadata.deletionTimestamp, undefined);
      }
    },
  },
  {
    name: 'a name that is taken',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        await api.create(resource, thing('a'));
        await refused('409 AlreadyExists', api.create(resource, thing('a', { labels: { x: '1' } })));
      }
    },
  },
  {
    name: 'names that the server makes',
    async play({ api, refused }) {
      const one = await api.create(configMaps, thing('', { generateName: 'generated-' }));
      const two = await api.create(configMaps, thing('', { generateName: 'generated-' }));
      const long = await api.create(widgets, custom('', {}, { generateName: 'x'.repeat(80) }));
      assert.match(one.metadata.name, /^generated-[a-z0-9]{5}$/);
      assert.notEqual(one.metadata.name, two.metadata.name);
      assert.equal(long.metadata.name.length, 63);
      await api.create(configMaps, thing('named', { generateName: 'unused-' }));
      await refused('422 Invalid', api.create(configMaps, thing('', { generateName: 'Not-' })));
    },
  },
  {
    name: 'names that are not allowed',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        for (const name of ['Upper', 'a_b', '-a', 'a-', 'a..b', 'a b', 'x'.repeat(254)]) {
          await refused('422 Invalid', api.create(resource, thing(name)));
        }
        for (const name of ['0', 'a.b', 'x'.repeat(253)]) await api.create(resource, thing(name));
        await refused('422 Invalid', api.create(resource, thing('')));
      }
      await refused('422 Invalid', api.create(namespaces, thing('a.b')));
    },
  },
  {
    name: 'labels that are not allowed',
    async play({ api, refused }) {
      const wrong: Array<Record<string, string>> = [
        { 'a b': 'x' },
        { '-a': 'x' },
        { 'a/b/c': 'x' },
        { 'Upper.Domain/a': 'x' },
        { '': 'x' },
        { ['x'.repeat(64)]: 'x' },
        { a: 'a b' },
        { a: '-' },
        { a: 'x'.repeat(64) },
      ];
      for (const resource of [configMaps, widgets]) {
        for (const labels of wrong)
          await refused('422 Invalid', api.create(resource, thing('a', { labels })));
      }
      const right = { 'example.com/a': '', 'A_b.c': 'X_y.z', ['x'.repeat(63)]: 'x'.repeat(63) };
      await api.create(configMaps, thing('a', { labels: right }));
      const patch = { type: 'merge', body: { metadata: { labels: { a: 'a b' } } } } as const;
      await refused('422 Invalid', api.patch(configMaps, 'a', patch));
    },
  },
  {
    name: 'annotations that are not allowed',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        await refused('422 Invalid', api.create(resource, thing('a', { annotations: { 'a b': 'x' } })));
        await api.create(resource, thing('a', { annotations: { 'Example.com/a': 'any text, {}' } }));
      }
      const large = { a: 'x'.repeat(256 * 1024) };
      await refused('422 Invalid', api.create(configMaps, thing('b', { annotations: large })));
    },
  },
  {
    name: 'finalizers and owner references that are not allowed',
    async play({ api, refused }) {
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'some-uid' };
      await refused('422 Invalid', api.create(configMaps, thing('a', { finalizers: ['unqualified name'] })));
      for (const wrong of [
        [{ ...owner, uid: '' }],
        [{ ...owner, name: '' }],
        [{ ...owner, kind: '' }],
        [{ ...owner, apiVersion: '' }],
        [
          { ...owner, controller: true },
          { ...owner, uid: 'another', controller: true },
        ],
      ]) {
        await refused('422 Invalid', api.create(configMaps, thing('a', { ownerReferences: wrong })));
      }
    },
  },
  {
    name: 'a version on creation',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        await refused('500 InternalError', api.create(resource, thing('a', { resourceVersion: '5' })));
      }
    },
  },
  {
    name: 'a namespace that is not there',
    async play({ api, refused, namespace }) {
      const elsewhere = `${namespace}-missing`;
      for (const resource of [configMaps, widgets]) {
        await refused('404 NotFound', api.create(resource, thing('a', { namespace: elsewhere })));
        const page = await api.page(resource, { namespace: elsewhere });
        assert.deepEqual(page.items, []);
      }
    },
  },
  {
    name: 'a resource that is not served',
    async play({ api, refused }) {
      await refused('404 NotFound', api.create(unknown, thing('a')));
      await refused('404 NotFound', api.get(unknown, 'a'));
      await refused('404 NotFound', api.page(unknown));
      await refused('404 NotFound', api.get({ ...widgets, version: 'v2' }, 'a'));
    },
  },
  {
    name: 'cluster-scoped objects',
    async play({ api, refused, namespace }) {
      const name = `${namespace}-fleet`;
      const made = await api.create(fleets, custom(name, { size: 1 }));
      assert.equal(made.metadata.namespace, undefined);
      await refused('409 AlreadyExists', api.create(fleets, custom(name)));
      await api.getMetadata(fleets, name);
      await api.update(fleets, { ...made, spec: { size: 2 } });
      const { items } = await api.page(fleets, { fieldSelector: `metadata.name=${name}` });
      assert.equal(items.length, 1);
      await api.delete(fleets, name);
      await refused('404 NotFound', api.get(fleets, name));
    },
  },
  {
    name: 'the same name in another kind and another namespace is another object',
    async play({ api, world, elsewhere: another }) {
      const elsewhere = await another();
      await api.create(configMaps, thing('a', {}, { where: 'here' }));
      await api.create(widgets, thing('a'));
      await world.client.create(configMaps, thing('a', { namespace: elsewhere }, { where: 'there' }));
      const { data } = await api.get(configMaps, 'a');
      assert.deepEqual(data, { where: 'here' });
    },
  },
  {
    name: 'empty maps and lists',
    async play({ api }) {
      const metadata = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [] };
      for (const resource of [configMaps, widgets]) {
        await api.create(resource, { ...thing('a', metadata), data: {} });
        await api.get(resource, 'a');
      }
    },
  },
];
