import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerReference } from '../author/references.ts';
import { watch } from '../controller/definition.ts';
import { generationChanged } from '../controller/predicate.ts';
import * as resources from '../kube/resources.ts';
import { holderOf, type Lease } from '../lease/lease.ts';
import { silentLogger } from '../runtime/logger.ts';
import { shardLabel } from '../sharding/contract.ts';
import { Manager } from './manager.ts';
import {
  type ConfigMap,
  configMaps,
  ref,
  ring,
  SiteWorld,
  settledMs,
  shard,
  type Theme,
  themes,
  type Website,
  websites,
} from './shard-manager-fixture.ts';

test('one option makes of a controller a shard: it has its own objects only, and all that is not sharded', async () => {
  for (const options of [shard('a'), {}]) {
    const world = new SiteWorld();
    world.theme('plain', 'grey');
    world.website('mine', 'a');
    world.website('theirs', 'b');
    const { sites, reconciled } = await world.start('process', options);
    const all = 'shard' in options ? ['mine'] : ['mine', 'theirs'];
    assert.deepEqual([...new Set(reconciled)], all);
    assert.deepEqual(
      sites.list().map(({ metadata }) => metadata.name),
      all,
    );
    assert.deepEqual(world.page('mine')?.data, { color: 'grey' });
    assert.equal(
      world.page('mine')?.metadata.labels?.[shardLabel(ring)],
      'shard' in options ? 'a' : undefined,
    );
    assert.deepEqual(world.api.peek<Website>(websites, ref('mine'))?.status, { color: 'grey' });
    world.api.change<Theme>(themes, { name: 'plain' }, ({ spec }) => {
      spec.color = 'blue';
    });
    await world.clock.advance(100);
    assert.deepEqual(world.page('mine')?.data, { color: 'blue' });
    assert.deepEqual(world.page('theirs')?.data, 'shard' in options ? undefined : { color: 'blue' });
  }
});

test('it is ready when the shard works; at the stop what is in flight ends, and the Lease is released last', async () => {
  const world = new SiteWorld();
  world.website('one', 'a');
  const end = Promise.withResolvers<void>();
  const { manager, stop, result } = await world.start('process', shard('a'));
  assert.equal(manager.ready(), true);
  assert.equal(manager.shardName, 'a');
  world.api.fault({
    on: ({ verb, resource }) => verb === 'patch' && resource === 'configmaps',
    delayMs: 3_000,
  });
  world.api.remove(configMaps, ref('one'));
  await world.clock.advance(100);
  const holder = () =>
    holderOf(world.api.peek<Lease>(resources.leases, ref('a')) ?? { metadata: { name: '' } });
  stop.abort();
  await world.clock.advance(2_000);
  assert.equal(holder(), 'a');
  assert.match(String(manager.ready()), /stopping/);
  await world.clock.advance(2_000);
  assert.deepEqual(result, { ended: true });
  assert.equal(holder(), '');
  assert(world.page('one'));
  assert.deepEqual(world.api.watches, []);
  assert.equal(world.clock.pending, 0);
  end.resolve();
});

test('a controller that is not sharded works on all objects, on the leader alone, beside one that is', async () => {
  const world = new SiteWorld();
  world.website('mine', 'a');
  world.website('theirs', 'b');
  const lead = { leaderElection: { namespace: 'default', name: 'leader' } };
  const counted: string[] = [];
  for (const name of ['a', 'b']) {
    const manager = new Manager({
      client: world.api.client({ user: name }),
      clock: world.clock,
      logger: silentLogger,
      ...shard(name),
      ...lead,
    });
    manager.controller({
      name: 'site',
      for: websites,
      reconcile: async (request) => void counted.push(`${name} ${request.name}`),
    });
    manager.controller({
      name: 'count',
      for: websites,
      sharded: false,
      reconcile: async (request) => void counted.push(`${name} counts ${request.name}`),
    });
    void manager.start(new AbortController().signal);
    await world.clock.advance(settledMs);
  }
  assert.deepEqual(counted.toSorted(), ['a counts mine', 'a counts theirs', 'a mine', 'b theirs']);
});

test('predicates keep changes away that do not count', async () => {
  const world = new SiteWorld();
  world.website('one', 'a');
  const seen: string[] = [];
  const manager = new Manager({ client: world.api, clock: world.clock, logger: silentLogger, ...shard('a') });
  manager.controller({
    name: 'site',
    for: websites,
    predicates: [generationChanged],
    owns: [{ resource: configMaps, predicates: [{ deleted: () => false }] }],
    watches: [watch(themes, () => [ref('one')], { predicates: [{ updated: () => false }] })],
    reconcile: async (request) => void seen.push(request.key),
  });
  void manager.start(new AbortController().signal);
  await world.clock.advance(settledMs);
  const count = async (change: () => unknown): Promise<number> => {
    seen.length = 0;
    change();
    await world.clock.advance(100);
    return seen.length;
  };
  assert.equal(await count(() => world.api.label(websites, ref('one'), { changed: 'yes' })), 0);
  const respec = () =>
    world.api.change<Website>(websites, ref('one'), ({ spec }) => void (spec.theme = 'other'));
  assert.equal(await count(respec), 1);
  const owner = world.api.peek<Website>(websites, ref('one'));
  assert(owner);
  const labels = { [shardLabel(ring)]: 'a' };
  const metadata = { ...ref('one'), labels, ownerReferences: [controllerReference(owner)] };
  assert.equal(await count(() => world.api.seed<ConfigMap>(configMaps, { metadata })), 1);
  assert.equal(await count(() => world.api.remove(configMaps, ref('one'))), 0);
  assert.equal(await count(() => world.theme('plain', 'grey')), 1);
  assert.equal(await count(() => world.api.label(themes, { name: 'plain' }, { changed: 'yes' })), 0);
});

test('what can not work is refused before anything starts', async () => {
  const world = new SiteWorld();
  const options = { client: world.api, clock: world.clock, logger: silentLogger };
  const reconcile = async (): Promise<void> => {};
  const sharded = new Manager({ ...options, ...shard('a') });
  sharded.controller({ name: 'one', for: websites, sharded: false, reconcile });
  assert.throws(
    () => sharded.controller({ name: 'one', for: websites, reconcile }),
    /there is a controller one already/,
  );
  await assert.rejects(sharded.start(new AbortController().signal), /no controller that is sharded/);
  const misnamed = new Manager({ ...options, name: 'not a name' });
  assert.throws(() => misnamed.controller({ name: 'one', for: websites, reconcile }), RangeError);
  const early = new Manager(options).cache(websites);
  assert.throws(() => early.get('x'), /before the manager is started/);
  assert.deepEqual(world.api.requests, []);
});
