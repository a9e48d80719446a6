import assert from 'node:assert/strict';
import { configMaps, leases } from '@controller-sharding/shared/kube/resources.ts';
import type { Thing } from '../recording-client.ts';
import { custom, type Scenario, thing } from '../stage.ts';
import { fleets, gadgets, widgets } from '../world.ts';

const withStatus = (object: Thing, status: Record<string, unknown>): Thing => ({ ...object, status });

/** The status subresource. */
export const status: Scenario[] = [
  {
    name: 'the main address does not write the status',
    async play({ api }) {
      const made = await api.create(widgets, withStatus(custom('a', { size: 1 }), { phase: 'made' }));
      assert.equal(made.status, undefined);
      const updated = await api.update(widgets, withStatus(made, { phase: 'updated' }));
      assert.equal(updated.status, undefined);
      assert.equal(updated.metadata.resourceVersion, made.metadata.resourceVersion);
      await api.patch(widgets, 'a', { type: 'merge', body: { status: { phase: 'patched' } } });
      const add = { op: 'add', path: '/status', value: { phase: 'patched' } } as const;
      await api.patch(widgets, 'a', { type: 'json', operations: [add] });
    },
  },
  {
    name: 'the status address writes only the status',
    async play({ api }) {
      const made = await api.create(widgets, custom('a', { size: 1 }, { labels: { x: '1' } }));
      const { metadata } = made;
      const labelled = { ...made, spec: { size: 2 }, metadata: { ...metadata, labels: { x: '2' } } };
      const updated = await api.updateStatus(widgets, withStatus(labelled, { phase: 'updated' }));
      assert.deepEqual(updated.spec, { size: 1 });
      assert.deepEqual(updated.metadata.labels, { x: '1' });
      assert.deepEqual(updated.status, { phase: 'updated' });
      assert.equal(updated.metadata.generation, metadata.generation);
      const body = {
        metadata: { labels: { x: '3' }, annotations: { x: '3' }, finalizers: ['example.com/x'] },
        spec: { size: 3 },
        status: { more: 1 },
      };
      const patched = await api.patchStatus(widgets, 'a', { type: 'merge', body });
      assert.deepEqual(patched.status, { phase: 'updated', more: 1 });
      await api.update(widgets, { ...patched, spec: { size: 4 }, status: { phase: 'lost' } });
    },
  },
  {
    name: 'the status is patched by operations',
    async play({ api, refused }) {
      await api.create(widgets, custom('a', { size: 1 }));
      const operations = (...list: Array<{ op: 'add' | 'test' | 'replace'; path: string; value: unknown }>) =>
        ({ type: 'json', operations: list }) as const;
      await api.patchStatus(widgets, 'a', operations({ op: 'add', path: '/status', value: { phase: 'x' } }));
      const test = { op: 'test', path: '/status/phase', value: 'y' } as const;
      await refused('422 Invalid', api.patchStatus(widgets, 'a', operations(test)));
      await api.patchStatus(
        widgets,
        'a',
        operations(
          { op: 'replace', path: '/status/phase', value: 'y' },
          { op: 'replace', path: '/spec/size', value: 9 },
        ),
      );
    },
  },
  {
    name: 'versions of the status',
    async play({ api, refused }) {
      const made = await api.create(widgets, custom('a', { size: 1 }));
      await api.updateStatus(widgets, withStatus(made, { phase: 'x' }));
      await refused('409 Conflict', api.updateStatus(widgets, withStatus(made, { phase: 'y' })));
      await refused('422 Invalid', api.updateStatus(widgets, withStatus(custom('a', {}), { phase: 'z' })));
      await refused('409 Conflict', api.update(widgets, { ...made, spec: { size: 2 } }));
      const now = await api.get(widgets, 'a');
      const again = await api.updateStatus(widgets, now);
      assert.equal(again.metadata.resourceVersion, now.metadata.resourceVersion);
      await refused(
        '404 NotFound',
        api.updateStatus(widgets, withStatus({ ...made, metadata: { ...made.metadata, name: 'b' } }, {})),
      );
    },
  },
  {
    name: 'watches see the status written',
    async play({ api, watch, seen }) {
      const made = await api.create(widgets, custom('a', { size: 1 }));
      const events = watch(widgets, { resourceVersion: made.metadata.resourceVersion });
      await api.patchStatus(widgets, 'a', { type: 'merge', body: { status: { phase: 'x' } } });
      await seen(events, 1);
    },
  },
  {
    name: 'a resource without the subresource',
    async play({ api, refused }) {
      const made = await api.create(gadgets, withStatus(custom('a', { size: 1 }), { phase: 'made' }));
      assert.deepEqual(made.status, { phase: 'made' });
      const updated = await api.update(gadgets, withStatus(made, { phase: 'updated' }));
      assert.deepEqual(updated.status, { phase: 'updated' });
      await refused('404 NotFound', api.updateStatus(gadgets, updated));
      const patch = { type: 'merge', body: { status: { phase: 'x' } } } as const;
      await refused('404 NotFound', api.patchStatus(gadgets, 'a', patch));
      await api.create(configMaps, thing('a'));
      await refused('404 NotFound', api.patchStatus(configMaps, 'a', patch));
      await api.create(leases, thing('a'));
      await refused('404 NotFound', api.patchStatus(leases, 'a', patch));
    },
  },
  {
    name: 'the status of a cluster-scoped object',
    async play({ api, namespace }) {
      const name = `${namespace}-fleet`;
      await api.create(fleets, custom(name, { size: 1 }));
      const patched = await api.patchStatus(fleets, name, { type: 'merge', body: { status: { size: 1 } } });
      assert.deepEqual(patched.status, { size: 1 });
      await api.delete(fleets, name);
    },
  },
];
