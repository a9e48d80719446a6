import assert from 'node:assert/strict';
import { configMaps, leases } from '@controller-sharding/shared/kube/resources.ts';
import type { OwnerReference } from '@controller-sharding/shared/kube/types.ts';
import type { Thing } from '../recording-client.ts';
import { custom, type Scenario, thing } from '../stage.ts';
import { gadgets, widgets } from '../world.ts';

const apply = (fieldManager: string, body: Thing, force?: boolean) =>
  ({ type: 'apply', body, fieldManager, ...(force !== undefined && { force }) }) as const;
const data = (values: Record<string, string>): Thing => thing('a', {}, values);

/** Server-side apply, and whose the fields are. */
export const applying: Scenario[] = [
  {
    name: 'apply makes the object, and leaves it when nothing is new',
    async play({ api }) {
      for (const resource of [configMaps, widgets]) {
        const made = await api.patch(resource, 'a', apply('one', data({ x: '1' })));
        const again = await api.patch(resource, 'a', apply('one', data({ x: '1' })));
        assert.equal(again.metadata.resourceVersion, made.metadata.resourceVersion);
        await api.patch(resource, 'a', apply('one', data({ x: '2' })));
      }
    },
  },
  {
    name: 'a field of another manager is a conflict, and force takes it',
    async play({ api, refused }) {
      await api.patch(configMaps, 'a', apply('one', data({ x: '1', y: '1' })));
      await refused('409 Conflict', api.patch(configMaps, 'a', apply('two', data({ x: '2', y: '2' }))));
      await api.patch(configMaps, 'a', apply('two', data({ x: '2' }), true));
      await refused('409 Conflict', api.patch(configMaps, 'a', apply('one', data({ x: '1', y: '1' }))));
      const now = await api.patch(configMaps, 'a', apply('one', data({ y: '1' })));
      assert.deepEqual(now.data, { x: '2', y: '1' });
    },
  },
  {
    name: 'what a manager no longer applies goes, if nobody else has it',
    async play({ api }) {
      await api.patch(configMaps, 'a', apply('one', data({ both: '1', mine: '1' })));
      await api.patch(configMaps, 'a', apply('two', data({ both: '1', other: '1' })));
      const one = await api.patch(configMaps, 'a', apply('one', data({})));
      assert.deepEqual(one.data, { both: '1', other: '1' });
      const two = await api.patch(configMaps, 'a', apply('two', data({ other: '1' })));
      assert.deepEqual(two.data, { other: '1' });
    },
  },
  {
    name: 'a field that two managers have alone can change only by force',
    async play({ api, refused }) {
      await api.patch(configMaps, 'a', apply('one', data({ x: '1' })));
      await api.patch(configMaps, 'a', apply('two', data({ x: '1' })));
      await refused('409 Conflict', api.patch(configMaps, 'a', apply('one', data({ x: '2' }))));
      await api.patch(configMaps, 'a', apply('one', data({ x: '2' }), true));
      await api.patch(configMaps, 'a', apply('two', data({})));
    },
  },
  {
    name: 'updates and patches own fields, too',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        const made = await api.create(resource, data({ x: '1', y: '1' }));
        await refused('409 Conflict', api.patch(resource, 'a', apply('one', data({ x: '2' }))));
        await api.patch(resource, 'a', apply('one', data({ x: '1' })));
        await api.patch(resource, 'a', { type: 'merge', body: { data: { x: '3' } } });
        await refused('409 Conflict', api.patch(resource, 'a', apply('one', data({ x: '1' }))));
        await api.patch(resource, 'a', apply('one', data({ x: '1' }), true));
        await api.patch(resource, 'a', apply('one', data({})));
        assert.ok(made.data);
      }
    },
  },
  {
    name: 'labels, annotations, finalizers and owner references',
    async play({ api, refused }) {
      const owner = async (name: string): Promise<OwnerReference> => {
        const { metadata } = await api.create(configMaps, thing(name));
        return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: metadata.uid ?? '' };
      };
      const one = {
        labels: { x: '1' },
        annotations: { x: '1' },
        finalizers: ['example.com/one'],
        ownerReferences: [await owner('first')],
      };
      const two = {
        labels: { y: '1' },
        finalizers: ['example.com/one', 'example.com/two'],
        ownerReferences: [await owner('second')],
      };
      for (const resource of [configMaps, widgets]) {
        await api.patch(resource, 'a', apply('one', thing('a', one)));
        await api.patch(resource, 'a', apply('two', thing('a', two)));
        await refused(
          '409 Conflict',
          api.patch(resource, 'a', apply('two', thing('a', { labels: { x: '2' } }))),
        );
        await api.patch(resource, 'a', apply('one', thing('a')));
        await api.patch(resource, 'a', apply('two', thing('a')));
      }
    },
  },
  {
    name: 'lists and maps of a custom resource',
    async play({ api, refused }) {
      const first = custom('a', { list: ['x', 'y'], map: { mine: 1, nested: { deep: 1 } } });
      await api.patch(widgets, 'a', apply('one', first));
      await refused('409 Conflict', api.patch(widgets, 'a', apply('two', custom('a', { list: ['x', 'z'] }))));
      await api.patch(widgets, 'a', apply('two', custom('a', { map: { nested: { other: 2 } } })));
      await api.patch(widgets, 'a', apply('one', custom('a', { map: { nested: { deep: 2 } } })));
      const { spec } = await api.patch(widgets, 'a', apply('one', custom('a', {})));
      assert.deepEqual(spec, { map: { nested: { other: 2 } } });
    },
  },
  {
    name: 'the status is applied on its own',
    async play({ api, refused }) {
      const status = (type: string, value: string): Thing => ({
        ...thing('a'),
        status: { conditions: [{ type, status: value }] },
      });
      await refused('404 NotFound', api.patchStatus(widgets, 'a', apply('one', status('Ready', 'True'))));
      await api.patch(widgets, 'a', apply('one', { ...custom('a', { size: 1 }), status: { ignored: true } }));
      await api.patchStatus(widgets, 'a', apply('one', status('Ready', 'True')));
      await api.patchStatus(widgets, 'a', apply('two', status('Synced', 'True')));
      await refused('409 Conflict', api.patchStatus(widgets, 'a', apply('two', status('Ready', 'False'))));
      await api.patch(widgets, 'a', apply('one', custom('a', { size: 2 })));
      const now = await api.patchStatus(widgets, 'a', apply('one', thing('a')));
      assert.deepEqual(now.status, { conditions: [{ type: 'Synced', status: 'True' }] });
      await api.patchStatus(widgets, 'a', { type: 'merge', body: { status: { phase: 'x' } } });
      const phase: Thing = { ...thing('a'), status: { phase: 'y' } };
      await refused('409 Conflict', api.patchStatus(widgets, 'a', apply('two', phase)));
    },
  },
  {
    name: 'without a status subresource the status is a field like others',
    async play({ api }) {
      const made = await api.patch(gadgets, 'a', apply('one', { ...thing('a'), status: { phase: 'x' } }));
      assert.deepEqual(made.status, { phase: 'x' });
      await api.patch(gadgets, 'a', apply('one', thing('a')));
    },
  },
  {
    name: 'preconditions of an apply',
    async play({ api, refused, attempt }) {
      const made = await api.patch(configMaps, 'a', apply('one', data({ x: '1' })));
      const { uid = '', resourceVersion = '' } = made.metadata;
      await api.patch(configMaps, 'a', apply('one', thing('a', { uid, resourceVersion }, { x: '2' })));
      const late = thing('a', { resourceVersion }, { x: '3' });
      await refused('409 Conflict', api.patch(configMaps, 'a', apply('one', late)));
      const other = thing('a', { uid: 'another-uid' }, { x: '3' });
      await refused('422 Invalid', api.patch(configMaps, 'a', apply('one', other)));
      await attempt(api.patch(configMaps, 'b', apply('one', thing('b', { uid: 'some-uid' }))));
    },
  },
  {
    name: 'applies that are refused',
    async play({ api, refused, attempt }) {
      await refused('422 Invalid', api.patch(configMaps, 'a', apply('', data({ x: '1' }))));
      await refused('400 BadRequest', api.patch(configMaps, 'a', apply('one', thing('b'))));
      const wrong = apply('one', thing('a', { labels: { x: 'a b' } }));
      await refused('422 Invalid', api.patch(configMaps, 'a', wrong));
      const managed = Object.assign(thing('a'), {
        metadata: { name: 'a', managedFields: [{ manager: 'x' }] },
      });
      await attempt(api.patch(configMaps, 'a', apply('one', managed)));
      const unknownField = Object.assign(thing('a'), { nonsense: true });
      await attempt(api.patch(configMaps, 'a', apply('one', unknownField)));
    },
  },
  {
    name: 'an object that another manager made, then removed, by one who applies',
    async play({ api, refused }) {
      await api.patch(configMaps, 'a', apply('one', data({ x: '1' })));
      await api.delete(configMaps, 'a');
      await api.patch(configMaps, 'a', apply('two', data({ x: '2' })));
      await refused('409 Conflict', api.patch(configMaps, 'a', apply('one', data({ x: '1' }))));
    },
  },
  {
    name: 'an object made without any field: what it got since is nobody’s',
    async play({ api, refused }) {
      for (const resource of [configMaps, widgets]) {
        await api.create(resource, thing('a'));
        await api.patch(resource, 'a', { type: 'merge', body: { metadata: { labels: { x: '1' } } } });
        await refused(
          '409 Conflict',
          api.patch(resource, 'a', apply('one', thing('a', { labels: { x: '2' } }))),
        );
        await api.patch(resource, 'a', apply('one', thing('a', { labels: { y: '1' } })));
        await api.patch(resource, 'a', { type: 'merge', body: { metadata: { labels: { z: '1' } } } });
        const labels = { x: '2', z: '2' };
        await refused('409 Conflict', api.patch(resource, 'a', apply('one', thing('a', { labels }))));
      }
    },
  },
  {
    name: 'a Lease is applied',
    async play({ api, refused }) {
      const lease = (holderIdentity: string): Thing =>
        custom('a', { holderIdentity, leaseDurationSeconds: 15 });
      await api.patch(leases, 'a', apply('one', lease('one')));
      await refused('409 Conflict', api.patch(leases, 'a', apply('two', lease('two'))));
      await api.patch(leases, 'a', apply('two', lease('two'), true));
    },
  },
];
