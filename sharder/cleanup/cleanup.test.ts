import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, controllerRings, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { Labels } from '@controller-sharding/shared/kube/types.ts';
import { microTime } from '@controller-sharding/shared/lease/lease.ts';
import {
  drainLabel,
  pinLabel,
  ringLabel,
  shardLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { cleanUp } from './cleanup.ts';

const ring = 'ring';

class CleanupWorld {
  readonly clock = new FakeClock();
  readonly api = new MemoryApi(this.clock, { resources: [controllerRings] });
  readonly lines: string[] = [];
  readonly stop = new AbortController();

  async object(name: string, labels: Labels): Promise<void> {
    await this.api.create(secrets, { metadata: { namespace: 'default', name, labels } });
  }

  async lease(name: string, holderIdentity: string): Promise<void> {
    const metadata = { namespace: 'default', name, labels: { [ringLabel]: ring } };
    const spec = { holderIdentity, leaseDurationSeconds: 15, renewTime: microTime(this.clock.now()) };
    await this.api.create(leases, { metadata, spec });
  }

  async labels(name: string): Promise<Labels> {
    return (await this.api.get(secrets, { namespace: 'default', name })).metadata.labels ?? {};
  }

  async run(): Promise<void> {
    const done = cleanUp(
      {
        client: this.api,
        clock: this.clock,
        ring,
        resources: [secrets, configMaps],
        report: (line) => void this.lines.push(line),
      },
      this.stop.signal,
    );
    done.catch(() => undefined);
    await this.clock.advance(20_000);
    await done;
  }
}

test('labels of the ring go, and nothing else', async () => {
  const world = new CleanupWorld();
  const other = { [shardLabel('other')]: 'a', app: 'shop' };
  await world.object('assigned', { ...other, [shardLabel(ring)]: 'a' });
  await world.object('moving', { ...other, [shardLabel(ring)]: 'a', [drainLabel(ring)]: 'b' });
  await world.object('pinned', { ...other, [pinLabel(ring)]: 'a' });
  await world.lease('a', '');
  await world.run();
  for (const name of ['assigned', 'moving', 'pinned']) assert.deepEqual(await world.labels(name), other);
  assert.deepEqual((await world.api.listPage(leases, 'metadata', {})).items, []);
  assert.deepEqual(world.lines, [
    'secrets: removed the labels of 3 objects',
    'leases.coordination.k8s.io: deleted 1 of shards that have ended',
    'nothing is left of the ring ring',
  ]);
});

test('a ring that exists is left as it is', async () => {
  const world = new CleanupWorld();
  await world.api.create(controllerRings, { metadata: { name: ring } });
  await world.object('assigned', { [shardLabel(ring)]: 'a' });
  await assert.rejects(world.run(), { code: 'CLEANUP', message: /kubectl delete controllerring ring/ });
  assert.deepEqual(await world.labels('assigned'), { [shardLabel(ring)]: 'a' });
});

test('shards that renew their Leases are named, and keep their objects', async () => {
  const world = new CleanupWorld();
  await world.object('assigned', { [shardLabel(ring)]: 'a' });
  await world.lease('a', 'a');
  await world.lease('b', 'b');
  world.clock.after(10_000, () => {
    const body = { spec: { renewTime: microTime(world.clock.now()) } };
    void world.api.patch(leases, { namespace: 'default', name: 'a' }, { type: 'merge', body });
  });
  await assert.rejects(world.run(), {
    code: 'CLEANUP',
    message: /still run: stop them first \(default\/a\)/,
  });
  assert.deepEqual(await world.labels('assigned'), { [shardLabel(ring)]: 'a' });
});

test('shards that were killed are waited for, no longer than their Lease lasts', async () => {
  const world = new CleanupWorld();
  await world.object('assigned', { [shardLabel(ring)]: 'a' });
  await world.lease('a', 'a');
  await world.run();
  assert.deepEqual(await world.labels('assigned'), {});
});

test('what could not be done is told in the end, and the rest is done', async () => {
  const world = new CleanupWorld();
  const labels = { [shardLabel(ring)]: 'a' };
  await world.object('assigned', labels);
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource === 'configmaps',
    times: Infinity,
    error: new ApiError(403, 'Forbidden', 'no list for you'),
  });
  await assert.rejects(world.run(), { code: 'CLEANUP', message: /configmaps \(.*no list for you/ });
  assert.deepEqual(await world.labels('assigned'), {});
});
