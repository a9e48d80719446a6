import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { secretNamed } from '../main-job/cluster/objects.ts';
import type { HostileRow, HostileWorld } from './hostile-world.ts';
import { labelOf } from './test-ring.ts';

const uidOf = async (world: HostileWorld, name: string): Promise<string> =>
  (await world.client.getMetadata(secrets, world.ref(name))).metadata.uid ?? '';

/** Objects that point to each other, to nothing, or are too large. */
export const objectRows: HostileRow[] = [
  {
    what: 'two ConfigMaps that control each other: no shard, and an Event',
    act: async (world) => {
      const [one, other] = [world.ref('circle-1'), world.ref('circle-2')];
      const first = await world.client.create<KubeObject>(configMaps, { metadata: one });
      const { uid = '' } = first.metadata;
      const second = await world.configMap(other.name, { kind: 'ConfigMap', name: one.name, uid });
      const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: other.name, uid: second.metadata.uid };
      const ownerReferences = [{ ...reference, controller: true }];
      const body = { metadata: { ownerReferences } };
      await world.client.patchMetadata(configMaps, one, { type: 'merge', body });
    },
    follows: async (world) => {
      for (const name of ['circle-1', 'circle-2']) {
        await world.event(name, 'EndlessControllers', /form a circle/);
        await world.unlabelled(name);
      }
    },
  },
  {
    what: 'a ConfigMap that controls itself',
    act: async (world) => {
      const own = world.ref('own');
      const { metadata } = await world.client.create<KubeObject>(configMaps, { metadata: own });
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: 'own',
        uid: metadata.uid,
        controller: true,
      };
      const body = { metadata: { ownerReferences: [reference] } };
      await world.client.patchMetadata(configMaps, own, { type: 'merge', body });
    },
    follows: (world) => world.unlabelled('own'),
  },
  {
    what: 'a ConfigMap whose Secret there never was: no shard',
    act: (world) => world.configMap('orphan', { kind: 'Secret', name: 'never', uid: randomUUID() }),
    follows: (world) => world.unlabelled('orphan'),
  },
  {
    what: 'a ConfigMap whose Secret was made again since: no shard',
    act: async (world) => {
      await world.secret('made-again');
      await world.configMap('of-former', { kind: 'Secret', name: 'made-again', uid: randomUUID() });
    },
    follows: async (world) => {
      await world.settled('made-again');
      await world.unlabelled('of-former');
    },
  },
  {
    what: 'a ConfigMap that something else controls: no shard',
    act: (world) => {
      const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: randomUUID() };
      return world.configMap('of-deployment', owner);
    },
    follows: (world) => world.unlabelled('of-deployment'),
  },
  {
    what: 'a ConfigMap that a user makes for a Secret: it follows it, to wherever it is',
    act: async (world) => {
      await world.secret('with-more');
      await world.configMap('more', {
        kind: 'Secret',
        name: 'with-more',
        uid: await uidOf(world, 'with-more'),
      });
    },
    follows: (world) =>
      world.until('both on one shard', async () => {
        const child = labelOf(await world.client.getMetadata(configMaps, world.ref('more')));
        return (
          child !== undefined &&
          child === labelOf(await world.client.getMetadata(secrets, world.ref('with-more')))
        );
      }),
  },
  {
    what: 'a ConfigMap that two control',
    refused: /Only one reference can have Controller set to true/,
    act: (world) => {
      const reference = { apiVersion: 'v1', kind: 'Secret', name: 'a', controller: true };
      const ownerReferences = [1, 2].map(() => ({ ...reference, uid: randomUUID() }));
      return world.client.create(configMaps, { metadata: { ...world.ref('of-both'), ownerReferences } });
    },
  },
  {
    what: 'a Secret of nearly 1 MiB: labelled as others',
    act: (world) => {
      const large = { ...secretNamed(world.namespace, 'large'), stringData: { a: 'x'.repeat(1_000_000) } };
      return world.client.create(secrets, large, { timeoutMs: 30_000 });
    },
    follows: (world) => world.settled('large'),
  },
  {
    what: 'a Secret of more than 1 MiB',
    refused: /Too long|too large|must have at most/,
    act: (world) => {
      const large = { ...secretNamed(world.namespace, 'larger'), stringData: { a: 'x'.repeat(1_100_000) } };
      return world.client.create(secrets, large, { timeoutMs: 30_000 });
    },
  },
  {
    what: 'a Secret with the longest name: labelled as others',
    act: async (world) => assert.ok(await world.secret('n'.repeat(253))),
  },
  {
    what: 'a Secret that is deleted while a finalizer holds it: it keeps its shard until it goes',
    act: async (world) => {
      await world.secret('held', undefined, { finalizers: ['example.com/hold'] });
      const shard = await world.settled('held');
      await world.client.delete(secrets, world.ref('held'));
      const { metadata } = await world.client.getMetadata(secrets, world.ref('held'));
      assert.notEqual(metadata.deletionTimestamp, undefined);
      assert.equal(labelOf({ metadata }), shard);
      const body = { metadata: { finalizers: null } };
      await world.client.patchMetadata(secrets, world.ref('held'), { type: 'merge', body });
    },
    follows: (world) =>
      world.until('its end', async () => {
        try {
          await world.client.getMetadata(secrets, world.ref('held'));
          return false;
        } catch (error) {
          if (!isNotFound(error)) throw error;
          return true;
        }
      }),
  },
  {
    what: 'a Secret that comes and goes a hundred times: the last one has a shard',
    act: async (world) => {
      for (let i = 0; i < 100; i += 1) {
        await world.secret('fleeting');
        if (i < 99) await world.client.delete(secrets, world.ref('fleeting'));
      }
    },
    follows: (world) => world.settled('fleeting'),
  },
  {
    what: 'a Secret of another namespace: no shard',
    act: (world) => world.client.create(secrets, secretNamed('default', 'elsewhere')),
    follows: async ({ client }) => {
      const ref = { namespace: 'default', name: 'elsewhere' };
      assert.equal(labelOf(await client.getMetadata(secrets, ref)), undefined);
    },
  },
  {
    what: 'a Secret without anything: labelled as others',
    act: async (world) => {
      const metadata = { ...world.ref('nothing'), labels: {}, annotations: {} };
      assert.ok(labelOf(await world.client.create(secrets, { metadata })));
    },
    follows: (world) => world.settled('nothing'),
  },
];
