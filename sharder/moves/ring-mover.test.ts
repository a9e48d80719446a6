import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

const syncPeriodMs = 300_000;

async function start(shards: string[], prepare?: (world: RingWorld) => void) {
  const world = new RingWorld();
  prepare?.(world);
  await world.withShards(...shards);
  const mover = new RingMover(world.moves, syncPeriodMs);
  world.membership.onChange(() => mover.membershipChanged());
  const ended = mover.run(world.signal);
  await world.clock.advance(100);
  return { world, mover, ended };
}

/** Objects with a ConfigMap each. */
const pairs = (world: RingWorld, count: number, shard?: string): void => {
  for (let number = 0; number < count; number += 1)
    world.configMap(`c${number}`, world.secret(`s${number}`, shard), shard);
};

const astray = (world: RingWorld): string[] =>
  world.api
    .all<KubeObject>(secrets)
    .flatMap(({ metadata }) =>
      world.childrenOf(metadata.uid).map((child) => ({ owner: metadata, child: child.metadata })),
    )
    .filter(({ owner, child }) => owner.labels?.[assigned] !== child.labels?.[assigned])
    .map(({ child }) => child.name);

test('a ring at rest: everything has a shard, and from then on nothing is written and little is read', async () => {
  const { world } = await start(['a', 'b', 'c']);
  world.obey();
  pairs(world, 90);
  await world.clock.advance(30_000);
  assert.deepEqual(astray(world), []);
  assert.equal(world.loads()[''], undefined);
  world.api.requests.length = 0;
  await world.clock.advance(200_000);
  assert.deepEqual(world.api.writes(), []);
  const lists = world.api.requests.filter(
    ({ verb, resource }) => verb === 'list' && !resource.startsWith('leases'),
  );
  assert(lists.length <= 1, JSON.stringify(lists));
});

test('a shard that joins is given its share, with what belongs to it', async () => {
  const { world } = await start(['a', 'b'], (empty) => pairs(empty, 60, 'a'));
  world.obey();
  await world.clock.advance(10_000);
  assert.deepEqual(world.loads(), { a: 30, b: 30 });
  world.shard('c');
  await world.clock.advance(10_000);
  assert.deepEqual(world.loads(), { a: 20, b: 20, c: 20 });
  assert.deepEqual(astray(world), []);
});

test('a foreign shard that only removes both labels gets its share and gives it back', async () => {
  const { world } = await start(['a', 'foreign'], (empty) => pairs(empty, 40, 'foreign'));
  world.obey({ foreign: ['foreign'] });
  await world.clock.advance(20_000);
  assert.deepEqual(world.loads(), { a: 20, foreign: 20 });
  assert.deepEqual(astray(world), []);
  world.release('foreign');
  await world.clock.advance(5_000);
  assert.deepEqual(world.loads(), { a: 40 });
  assert.deepEqual(astray(world), []);
});

test('objects of a released shard move at once, without a drain', async () => {
  const { world } = await start(['a', 'b', 'c'], (empty) => pairs(empty, 30, 'a'));
  world.obey();
  await world.clock.advance(10_000);
  const before = world.counts.drained;
  world.release('a');
  await world.clock.advance(1_000);
  assert.equal(world.loads()['a'], undefined);
  assert.deepEqual(astray(world), []);
  assert.equal(world.counts.drained, before);
});

test('objects of a silent shard stay until its Lease was taken over', async () => {
  const { world } = await start(['a', 'b'], (empty) => {
    for (let number = 0; number < 20; number += 1) empty.secret(`s${number}`, number < 10 ? 'a' : 'b');
  });
  await world.lead();
  world.silence('a');
  await world.clock.advance(15_000);
  assert.deepEqual(world.loads(), { a: 10, b: 10 });
  await world.clock.advance(5_000);
  assert.deepEqual(world.loads(), { b: 20 });
});

test('while a shard is expired, nothing is levelled', async () => {
  const { world } = await start(['a', 'b'], (empty) => empty.secrets(40, 'a'));
  world.silence('b');
  await world.clock.advance(16_000);
  assert.equal(world.state('b'), 'expired');
  const drained = world.counts.drained;
  world.shard('c');
  await world.clock.advance(1_500);
  assert.equal(world.counts.drained, drained);
});

test('a name that no Lease has is given up after one duration, and its objects move', async () => {
  const { world } = await start(['a', 'b'], (empty) => pairs(empty, 10, 'ghost'));
  await world.clock.advance(14_000);
  assert.equal(world.loads()['ghost'], 10);
  await world.clock.advance(3_000);
  assert.equal(world.loads()['ghost'], undefined);
  assert.deepEqual(astray(world), []);
});

test('also when the list that finds it failed at first', async () => {
  const { world } = await start(['a', 'b'], (empty) => {
    pairs(empty, 10, 'ghost');
    const named = ({ verb, labelSelector }: { verb: string; labelSelector?: string | undefined }): boolean =>
      verb === 'list' && (labelSelector ?? '').includes('notin');
    empty.api.fault({ on: named, error: connectionError(), times: 3 });
  });
  await world.clock.advance(25_000);
  assert.equal(world.loads()['ghost'], undefined);
});

test('an object that is given to a dead shard after it was emptied is found within the time of old views', async () => {
  const { world } = await start(['a', 'b']);
  world.release('a');
  await world.clock.advance(2_000);
  world.configMap('c', world.secret('late', 'a'), 'a');
  await world.clock.advance(12_000);
  assert.deepEqual([world.shardOf('late'), world.childShard('c')], ['b', 'b']);
});

test('a dead shard is said to be empty only after a look that finds nothing, and what it finds is moved', async () => {
  const { world, mover } = await start(['a', 'b']);
  world.release('a');
  await world.clock.advance(15_000);
  world.configMap('c', world.secret('late', 'a'), 'a');
  assert.equal(await mover.isEmpty('a', world.signal), false);
  await world.clock.advance(2_000);
  assert.equal(world.shardOf('late'), 'b');
  assert.equal(await mover.isEmpty('a', world.signal), true);
});

test('a controlled object that was left behind is brought along after the wave', async () => {
  const { world } = await start(['a', 'b'], (empty) => pairs(empty, 10, 'a'));
  // Shards that move nothing but the owner.
  world.obey({ foreign: [] });
  const stray = world.configMap(
    'stray',
    world.api.peek<KubeObject>(secrets, ref('s0')) ?? { metadata: { name: '' } },
    'gone',
  );
  assert.equal(stray.metadata.labels?.[assigned], 'gone');
  world.shard('c');
  await world.clock.advance(20_000);
  assert.deepEqual(astray(world), []);
});

test('so is one that carries the name of a dead shard, though its owner is on a living one', async () => {
  const { world } = await start(['a', 'b'], (empty) => empty.configMap('c', empty.secret('s', 'b'), 'a'));
  await world.clock.advance(5_000);
  world.api.label(configMaps, ref('c'), { [assigned]: 'a' });
  world.release('a');
  await world.clock.advance(2_000);
  assert.equal(world.childShard('c'), 'b');
});

test('a drain towards a shard that dies is sent elsewhere', async () => {
  const { world } = await start(['a', 'b', 'c']);
  world.secret('s', 'a', { [drain]: 'c' });
  await world.clock.advance(500);
  world.release('c');
  await world.clock.advance(2_000);
  assert(['a', 'b'].includes(world.drainOf('s') ?? ''));
});

test('one object that nobody can move keeps nothing else from being moved, drained or levelled', async () => {
  const { world } = await start(['a', 'b'], (empty) => {
    empty.api.fault({
      on: patchOf('secrets', 's0'),
      error: new ApiError(403, 'Forbidden', 'a policy says no'),
      times: 10_000,
    });
    pairs(empty, 20, 'a');
  });
  world.obey();
  world.release('a');
  await world.clock.advance(5_000);
  assert.deepEqual(world.loads(), { a: 1, b: 19 });
  world.secret('stranded', 'b', { [drain]: 'a' });
  world.shard('c');
  await world.clock.advance(10_000);
  assert.equal(world.drainOf('stranded'), undefined);
  assert((world.loads()['c'] ?? 0) >= 8, JSON.stringify(world.loads()));
});

test('an API server that is away for 30 s: not one label is written because of it', async () => {
  const { world } = await start(['a', 'b', 'c']);
  await world.lead();
  pairs(world, 30);
  world.obey();
  await world.clock.advance(20_000);
  const before = JSON.stringify([world.api.all(secrets), world.api.all(configMaps)]);
  world.api.goDown();
  for (const name of ['a', 'b', 'c']) world.silence(name);
  await world.clock.advance(30_000);
  world.api.comeUp();
  // The shards are back somewhat later.
  await world.clock.advance(5_000);
  for (let round = 0; round < 30; round += 1) {
    for (const name of ['a', 'b', 'c']) world.renew(name);
    await world.clock.advance(2_000);
  }
  assert.equal(JSON.stringify([world.api.all(secrets), world.api.all(configMaps)]), before);
  for (const name of ['a', 'b', 'c']) assert.equal(world.state(name), 'ready');
});

test('a leader that may no longer lead writes nothing', async () => {
  const { world } = await start(['a', 'b'], (empty) => empty.secrets(10, 'a'));
  world.fence.close();
  world.api.requests.length = 0;
  world.release('a');
  world.secret('new');
  await world.clock.advance(20_000);
  assert.deepEqual(world.relabelled(), []);
});

test('it ends with its signal, and what is under way with it', async () => {
  const { world, ended } = await start(['a', 'b'], (empty) => empty.secrets(100, 'a'));
  world.stop.abort();
  await world.clock.advance(10_000);
  await ended;
  const writes = world.api.writes().length;
  await world.clock.advance(10_000);
  assert.equal(world.api.writes().length, writes);
  assert(world.api.peek(leases, ref('a')));
});
