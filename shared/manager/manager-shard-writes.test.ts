import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Request } from '../controller/definition.ts';
import * as resources from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { LeaseLostError } from '../lease/held-lease.ts';
import { type Lease } from '../lease/lease.ts';
import { FencedError } from '../lease/write-fence.ts';
import { silentLogger } from '../runtime/logger.ts';
import { drainLabel, shardLabel } from '../sharding/contract.ts';
import { Manager } from './manager.ts';
import {
  type ConfigMap,
  configMaps,
  ref,
  ring,
  SiteWorld,
  settledMs,
  shard,
  type Website,
  websites,
} from './shard-manager-fixture.ts';

test('a change of an owned object is put right; a restart writes nothing', async () => {
  const world = new SiteWorld();
  for (const name of ['one', 'two', 'three']) world.website(name, 'a');
  const first = await world.start('first', shard('a'));
  world.api.change<ConfigMap>(configMaps, ref('two'), (page) => {
    page.data = { color: 'drifted' };
  });
  await world.clock.advance(100);
  assert.deepEqual(world.page('two')?.data, { color: 'white' });
  assert.equal(world.writes('first').length, 7);
  first.stop.abort();
  await world.clock.advance(1_000);
  assert.deepEqual(first.result, { ended: true });
  const next = await world.start('next', shard('a'));
  assert.equal(next.manager.ready(), true);
  assert.deepEqual(new Set(next.reconciled), new Set(['one', 'two', 'three']));
  assert.deepEqual(world.writes('next'), []);
});

test('an object that goes from shard to shard takes its page along, and the next shard writes nothing', async () => {
  const world = new SiteWorld();
  world.website('one', 'a');
  await world.start('a', shard('a'));
  const other = await world.start('b', shard('b'));
  world.api.label(websites, ref('one'), { [drainLabel(ring)]: 'b' });
  await world.clock.advance(1_000);
  assert.equal(world.api.peek<Website>(websites, ref('one'))?.metadata.labels?.[shardLabel(ring)], 'b');
  assert.equal(world.page('one')?.metadata.labels?.[shardLabel(ring)], 'b');
  assert.deepEqual(new Set(other.reconciled), new Set(['one']));
  assert.deepEqual(world.writes('b'), []);
});

test('a reconcile before the cache has seen the status that was written makes no other write', async () => {
  const world = new SiteWorld();
  const { reconciled } = await world.start('process', shard('a'));
  world.api.delayWatches(({ resource }) => (resource === 'websites.example.com' ? 500 : 0));
  world.website('one', 'a');
  await world.clock.advance(800);
  assert.ok(reconciled.length >= 2, 'the page has come, the status has not');
  assert.deepEqual(
    world.writes('process').map(({ verb, resource }) => `${verb} ${resource}`),
    ['patch configmaps', 'update websites.example.com/status'],
  );
});

test('when its Lease is taken, every client writes no more, and the manager ends with the error', async () => {
  const world = new SiteWorld();
  world.website('one', 'a');
  let seen: Request<Website> | undefined;
  const refused: unknown[] = [];
  const manager = new Manager({ client: world.api, clock: world.clock, logger: silentLogger, ...shard('a') });
  const end = Promise.withResolvers<void>();
  manager.controller({
    name: 'site',
    for: websites,
    async reconcile(request) {
      seen = request;
      await end.promise;
      await request.client
        .create(configMaps, { metadata: ref('late') })
        .catch((error: unknown) => refused.push(error));
    },
  });
  await assert.rejects(manager.client.create(configMaps, { metadata: ref('early') }), FencedError);
  let failure: unknown;
  void manager.start(new AbortController().signal).catch((error: unknown) => (failure = error));
  await world.clock.advance(settledMs);
  assert(seen);
  await manager.client.create(configMaps, { metadata: ref('meanwhile') });
  world.api.change<Lease>(resources.leases, ref('a'), ({ spec }) => {
    if (spec) spec.holderIdentity = 'somebody';
  });
  await world.clock.advance(3_000);
  assert(failure instanceof LeaseLostError);
  end.resolve();
  await world.clock.advance(100);
  assert(refused[0] instanceof FencedError);
  await assert.rejects(manager.client.create(configMaps, { metadata: ref('late') }), FencedError);
  assert.equal(world.page('late'), undefined);
});

test('events of a shard are written, whether it leads or not, under the name of the program', async () => {
  const world = new SiteWorld();
  const about = world.website('mine', 'b');
  world.api.seed<Lease>(resources.leases, {
    metadata: { name: 'leader', namespace: 'default' },
    spec: { holderIdentity: 'another', leaseDurationSeconds: 3_600 },
  });
  const lead = { leaderElection: { namespace: 'default', name: 'leader' } };
  const { manager } = await world.start('process', { ...shard('b'), ...lead });
  manager.events.record({ regarding: about, type: 'Normal', reason: 'Made', action: 'Make', note: 'a page' });
  await world.clock.advance(2_000);
  const [event] = world.api.all<KubeObject & { reportingController: string; note: string }>(resources.events);
  assert.deepEqual([event?.reportingController, event?.note], ['site-operator', 'a page']);
});
