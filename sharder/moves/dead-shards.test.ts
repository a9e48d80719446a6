import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import { emptyDeadShard, isShardEmpty } from './dead-shards.ts';
import { assigned, drain, patchOf, RingWorld, ref } from './ring-fixture.ts';

/** Shard `a` has released its Lease; `b` and `c` live. */
async function start() {
  const world = await new RingWorld().withShards('a', 'b', 'c');
  world.release('a');
  await world.clock.advance(0);
  world.api.requests.length = 0;
  return { world, empty: () => emptyDeadShard(world.moves, 'a', world.signal) };
}

const back = (world: RingWorld): void => {
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = 'a';
  });
};

test('all objects of a dead shard go to living ones, with their controlled objects, and no others move', async () => {
  const { world, empty } = await start();
  for (let number = 0; number < 20; number += 1) {
    world.configMap(
      `c${number}`,
      world.secret(`s${number}`, number < 15 ? 'a' : 'b'),
      number < 15 ? 'a' : 'b',
    );
  }
  assert.equal(await empty(), true);
  for (let number = 0; number < 20; number += 1) {
    const shard = world.shardOf(`s${number}`);
    assert.equal(world.childShard(`c${number}`), shard);
    assert(number < 15 ? shard === 'b' || shard === 'c' : shard === 'b');
  }
  assert.equal(world.counts.moved, 15);
  assert.equal(world.relabelled().length, 30, 'one write for each, and no drain');
});

test('the controlled objects get the new label before their owner', async () => {
  const { world, empty } = await start();
  world.configMap('c', world.secret('s', 'a'), 'a');
  await empty();
  assert.deepEqual(world.relabelled(), ['configmaps/c', 'secrets/s']);
});

test('a drain that was asked of the dead shard ends with the move', async () => {
  const { world, empty } = await start();
  world.secret('s', 'a', { [drain]: 'c' });
  assert.equal(await empty(), true);
  assert.equal(world.drainOf('s'), undefined);
  assert.notEqual(world.shardOf('s'), 'a');
});

test('it is listed again until a list begun after the last move finds nothing', async () => {
  const { world, empty } = await start();
  world.secret('s', 'a');
  // A webhook with an older view labels one more, twice.
  for (const name of ['late-1', 'late-2']) {
    world.api.fault({
      on: patchOf('secrets', name === 'late-1' ? 's' : 'late-1'),
      meanwhile: () => void world.secret(name, 'a'),
    });
  }
  assert.equal(await empty(), true);
  assert.deepEqual([world.loads()['a'], world.counts.moved], [undefined, 3]);
  const last = world.api.requests.findLastIndex(({ verb }) => verb === 'list');
  assert(last > world.api.requests.findLastIndex(({ verb }) => verb === 'patch'));
});

test('nothing is written once the shard is back', async () => {
  const { world, empty } = await start();
  world.secrets(30, 'a');
  let patches = 0;
  world.api.fault({
    on: ({ verb }) => verb === 'patch',
    times: 100,
    meanwhile: () => {
      patches += 1;
      if (patches === 1) back(world);
    },
    delayMs: 1,
  });
  const emptying = empty();
  await world.clock.advance(1_000);
  assert.equal(await emptying, false);
  assert(patches <= world.limit.most, 'only what was under way');
  assert((world.loads()['a'] ?? 0) >= 20);
});

test('nor on a view that is older than 5 s, when the shard is back by then', async () => {
  const { world, empty } = await start();
  world.secrets(3, 'a');
  world.api.holdWatches(leases);
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource.startsWith('leases'),
    error: new Error('no'),
    times: 100,
  });
  world.api.breakWatches();
  back(world);
  await world.clock.advance(6_000);
  assert.equal(world.gone('a'), true, 'as far as this view goes');
  await empty();
  assert.deepEqual(world.relabelled(), []);
});

test('without a usable shard nothing is written', async () => {
  const world = await new RingWorld().withShards('a');
  world.release('a');
  await world.clock.advance(0);
  world.configMap('c', world.secret('s', 'a'), 'a');
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), false);
  assert.deepEqual(world.relabelled(), []);
});

test('a shard that was taken over is emptied, too', async () => {
  const world = await new RingWorld().withShards('a', 'b');
  world.secrets(3, 'a');
  world.silence('a');
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.holderIdentity = sharderHolder;
  });
  await world.clock.advance(0);
  assert.equal(await emptyDeadShard(world.moves, 'a', world.signal), true);
  assert.deepEqual(world.loads(), { b: 3 });
});

test('objects of namespaces that the ring does not select stay', async () => {
  const { world, empty } = await start();
  world.secret('s', 'a', {}, 'foreign');
  assert.equal(await empty(), true);
  assert.equal(world.shardOf('s', 'foreign'), 'a');
});

test('one object that is refused keeps no other of the shard', async () => {
  const { world, empty } = await start();
  world.api.fault({ on: patchOf('secrets', 's3'), error: new ApiError(403, 'Forbidden', 'no'), times: 100 });
  world.secrets(30, 'a');
  await assert.rejects(empty(), /no/);
  assert.deepEqual(world.loads()['a'], 1);
});

test('what can not be moved now is left for later', async () => {
  const { world, empty } = await start();
  world.api.fault({ on: patchOf('secrets', 's'), error: new ApiError(409, 'Conflict', 'no'), times: 10_000 });
  world.secret('s', 'a');
  assert.equal(await empty(), false);
});

test('a shard is empty when no main and no controlled object carries its name', async () => {
  const { world } = await start();
  const isEmpty = (): Promise<boolean> => isShardEmpty(world.moves, 'a', world.signal);
  assert.equal(await isEmpty(), true);
  const owner = world.secret('s', 'a');
  assert.equal(await isEmpty(), false);
  world.api.label(secrets, ref('s'), { [assigned]: 'b' });
  assert.equal(await isEmpty(), true);
  world.configMap('c', owner, 'a');
  assert.equal(await isEmpty(), false, 'a controlled object was left behind');
  world.api.remove(secrets, ref('s'));
  assert.equal(await isEmpty(), true, 'without its owner it waits for the garbage collector');
  world.configMap('stranger', { ...owner, kind: 'Website' }, 'a');
  world.secret('s', 'a', {}, 'foreign');
  assert.equal(await isEmpty(), true, 'what the ring does not move does not count');
});
