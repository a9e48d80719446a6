import assert from 'node:assert/strict';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { OwnerReference } from '@controller-sharding/shared/kube/types.ts';
import type { Thing } from '../recording-client.ts';
import { type Scenario, type Stage, thing } from '../stage.ts';

const reference = ({ metadata }: Thing, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: metadata.name,
  uid: metadata.uid ?? '',
  ...more,
});

/** Waits until these ConfigMaps are all that is there, and writes them down with what holds them. */
async function left(stage: Stage, ...names: string[]): Promise<void> {
  const { world, namespace } = stage;
  const there = async (): Promise<Thing[]> => {
    const { items } = await world.client.listPage<Thing>(configMaps, 'full', {
      namespace,
      labelSelector: 'test',
    });
    return items;
  };
  const wanted = names.toSorted().join();
  await world.until(`${wanted} to be left`, async () => {
    return (await there()).map(({ metadata }) => metadata.name).join() === wanted;
  });
  const settled = (items: Thing[]): boolean => items.every(({ metadata }) => !metadata.deletionTimestamp);
  await world.until('deletions to end', async () => settled(await there()));
  stage.note(
    'left',
    (await there()).map(({ metadata }) => [metadata.name, metadata.ownerReferences, metadata.finalizers]),
  );
}

const labels = { test: '' };

/** Waits until the garbage collector has begun to delete a ConfigMap that a finalizer holds. */
async function marked({ world, namespace }: Stage, name: string): Promise<void> {
  await world.until(`${name} to be deleted`, async () => {
    const { metadata } = await world.client.getMetadata(configMaps, { namespace, name });
    return metadata.deletionTimestamp !== undefined;
  });
}

/** Waits until the garbage collector knows the objects that are there: what it doesn't know yet it can't orphan. */
async function known({ api, world, namespace }: Stage): Promise<void> {
  const gone = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'never-there' };
  await api.create(configMaps, thing('canary', { ownerReferences: [gone] }));
  await world.until('the canary to be deleted', async () => {
    const selection = { namespace, fieldSelector: 'metadata.name=canary' };
    return (await world.client.listPage(configMaps, 'metadata', selection)).items.length === 0;
  });
}

/** An owner, two that it owns, and one that one of these owns. */
async function family(stage: Stage, more: Partial<OwnerReference> = {}): Promise<Thing> {
  const { api } = stage;
  const owner = await api.create(configMaps, thing('owner', { labels }));
  const child = await api.create(
    configMaps,
    thing('child-1', { labels, ownerReferences: [reference(owner, { controller: true, ...more })] }),
  );
  await api.create(configMaps, thing('child-2', { labels, ownerReferences: [reference(owner, more)] }));
  await api.create(configMaps, thing('grandchild', { labels, ownerReferences: [reference(child, more)] }));
  await api.create(configMaps, thing('stranger', { labels }));
  await known(stage);
  return owner;
}

/** What becomes of the objects that a deleted one owned. */
export const garbage: Scenario[] = [
  {
    name: 'by default what an object owns is deleted after it',
    async play(stage) {
      await family(stage);
      await stage.api.delete(configMaps, 'owner');
      await stage.refused('404 NotFound', stage.api.get(configMaps, 'owner'));
      await left(stage, 'stranger');
    },
  },
  {
    name: 'Background: the owner goes first',
    async play(stage) {
      await family(stage, { blockOwnerDeletion: true });
      await stage.api.delete(configMaps, 'owner', { propagationPolicy: 'Background' });
      await stage.refused('404 NotFound', stage.api.get(configMaps, 'owner'));
      await left(stage, 'stranger');
    },
  },
  {
    name: 'Foreground: the owner goes last',
    async play(stage) {
      const { api } = stage;
      const owner = await family(stage, { blockOwnerDeletion: true });
      await api.patch(configMaps, 'child-2', {
        type: 'merge',
        body: { metadata: { finalizers: ['example.com/hold'] } },
      });
      const { resourceVersion } = owner.metadata;
      const fieldSelector = 'metadata.name=owner';
      const events = stage.watch(configMaps, { resourceVersion, fieldSelector, form: 'metadata' });
      await api.delete(configMaps, 'owner', { propagationPolicy: 'Foreground' });
      const { metadata } = await api.get(configMaps, 'owner');
      assert.deepEqual(metadata.finalizers, ['foregroundDeletion']);
      await marked(stage, 'child-2');
      await api.getMetadata(configMaps, 'owner');
      await api.patch(configMaps, 'child-2', { type: 'merge', body: { metadata: { finalizers: null } } });
      await left(stage, 'stranger');
      await stage.seen(events, 2);
    },
  },
  {
    name: 'Foreground: what does not block the deletion is not waited for',
    async play(stage) {
      const { api } = stage;
      await family(stage);
      const hold = { type: 'merge', body: { metadata: { finalizers: ['example.com/hold'] } } } as const;
      await api.patch(configMaps, 'child-2', hold);
      await api.delete(configMaps, 'owner', { propagationPolicy: 'Foreground' });
      await stage.world.until('the owner to go', async () => {
        const { items } = await stage.world.client.listPage(configMaps, 'metadata', {
          namespace: stage.namespace,
          fieldSelector: 'metadata.name=owner',
        });
        return items.length === 0;
      });
      await marked(stage, 'child-2');
      await api.patch(configMaps, 'child-2', { type: 'merge', body: { metadata: { finalizers: null } } });
      await left(stage, 'stranger');
    },
  },
  {
    name: 'Orphan: what it owned stays, without the reference',
    async play(stage) {
      await family(stage);
      await stage.api.delete(configMaps, 'owner', { propagationPolicy: 'Orphan' });
      await left(stage, 'child-1', 'child-2', 'grandchild', 'stranger');
      const { metadata } = await stage.api.getMetadata(configMaps, 'child-1');
      assert.equal(metadata.ownerReferences, undefined);
    },
  },
  {
    name: 'an object with two owners stays while one of them is there',
    async play(stage) {
      const { api, world, namespace } = stage;
      const one = await api.create(configMaps, thing('one', { labels }));
      const two = await api.create(configMaps, thing('two', { labels }));
      const ownerReferences = [reference(one, { controller: true }), reference(two)];
      await api.create(configMaps, thing('child', { labels, ownerReferences }));
      await known(stage);
      await api.delete(configMaps, 'one');
      await world.until('the reference to go', async () => {
        const child = await world.client.getMetadata(configMaps, { namespace, name: 'child' });
        return child.metadata.ownerReferences?.length === 1;
      });
      await left(stage, 'child', 'two');
      await api.delete(configMaps, 'two');
      await left(stage);
    },
  },
  {
    name: 'an object whose owner was never there is deleted',
    async play(stage) {
      const { api } = stage;
      const gone = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'never-there' };
      await api.create(configMaps, thing('child', { labels, ownerReferences: [gone] }));
      await left(stage);
    },
  },
  {
    name: 'an owner of the same name with another uid is no owner',
    async play(stage) {
      const { api } = stage;
      const owner = await api.create(configMaps, thing('owner', { labels }));
      const stale = { ...reference(owner), uid: 'another-uid' };
      await api.create(configMaps, thing('child', { labels, ownerReferences: [stale] }));
      await left(stage, 'owner');
    },
  },
  {
    name: 'an owner of another kind',
    async play(stage) {
      const { api } = stage;
      const owner = await api.create(secrets, thing('owner'));
      const ownerReferences = [reference(owner, { kind: 'Secret' })];
      await api.create(configMaps, thing('child', { labels, ownerReferences }));
      await api.delete(secrets, 'owner');
      await left(stage);
    },
  },
  {
    name: 'an owner held up by a finalizer keeps what it owns',
    async play(stage) {
      const { api } = stage;
      const finalizers = ['example.com/hold'];
      const owner = await api.create(configMaps, thing('owner', { labels, finalizers }));
      await api.create(configMaps, thing('child', { labels, ownerReferences: [reference(owner)] }));
      await api.delete(configMaps, 'owner', { propagationPolicy: 'Background' });
      await api.get(configMaps, 'child');
      await api.patch(configMaps, 'owner', { type: 'merge', body: { metadata: { finalizers: [] } } });
      await left(stage);
    },
  },
];
