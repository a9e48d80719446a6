import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { microTime } from '@controller-sharding/shared/lease/lease.ts';
import { forcedAnnotation, sharderHolder } from '@controller-sharding/shared/sharding/contract.ts';
import { assigned, drain, RingWorld, ref } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

const drainTimeoutMs = 60_000;

async function start({ takeOver = false } = {}, ...shards: string[]) {
  const world = await new RingWorld().withShards(...shards);
  await world.lead();
  const lead = (): RingMover => {
    const mover = new RingMover(world.moves, 300_000, { overdue: { drainTimeoutMs, takeOver } });
    world.membership.onChange(() => mover.membershipChanged());
    void mover.run(world.signal);
    return mover;
  };
  return { world, mover: lead(), lead };
}

const told = (world: RingWorld, reason: string): string[] =>
  world.told.filter((event) => event.startsWith(reason));

test('a drain that is answered in time is no trouble', async () => {
  const { world, mover } = await start({}, 'a', 'b');
  world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(55_000);
  world.api.label(secrets, ref('s'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(60_000);
  assert.equal(mover.overdue, 0);
  assert.deepEqual(world.told, []);
});

test('one that is not is told of once, on the object and on its shard, and counted until it is', async () => {
  const { world, mover } = await start({}, 'a', 'b');
  for (const name of ['s1', 's2']) world.secret(name, 'a', { [drain]: 'b' });
  await world.clock.advance(59_000);
  assert.equal(mover.overdue, 0);
  await world.clock.advance(10_000);
  assert.equal(mover.overdue, 2);
  assert.deepEqual(world.told.toSorted(), ['DrainOverdue s1', 'DrainOverdue s2', 'DrainsOverdue a']);
  await world.clock.advance(30_000);
  assert.equal(world.told.length, 3);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a', 'nothing is stolen from a living shard');
  world.api.label(secrets, ref('s1'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(10_000);
  assert.equal(mover.overdue, 1);
});

test('a new target gives the shard no new time', async () => {
  const { world, mover } = await start({}, 'a', 'b', 'c');
  world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(40_000);
  world.api.label(secrets, ref('s'), { [drain]: 'c' });
  await world.clock.advance(30_000);
  assert.equal(mover.overdue, 1);
});

test('another process under the name does', async () => {
  const { world, mover } = await start({}, 'a', 'b');
  world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(40_000);
  world.edit('a', 'default', ({ spec }) => {
    if (spec) spec.acquireTime = microTime(world.clock.now());
  });
  await world.clock.advance(50_000);
  assert.equal(mover.overdue, 0);
  await world.clock.advance(60_000);
  assert.equal(mover.overdue, 1);
});

test('time in which the API server is away does not count', async () => {
  const { world, mover } = await start({}, 'a', 'b');
  world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(30_000);
  world.api.goDown();
  await world.clock.advance(120_000);
  world.api.comeUp();
  await world.clock.advance(20_000);
  for (const name of ['a', 'b']) assert.equal(world.state(name), 'ready');
  assert.equal(mover.overdue, 0);
  await world.clock.advance(30_000);
  assert.equal(mover.overdue, 1);
});

test('a new leader starts anew', async () => {
  const { world, lead } = await start({}, 'a', 'b');
  world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(50_000);
  const next = lead();
  await world.clock.advance(50_000);
  assert.equal(next.overdue, 0);
  await world.clock.advance(20_000);
  assert.equal(next.overdue, 1);
});

test('if so configured the shard loses its Lease, and its objects move after a full duration', async () => {
  const { world, mover } = await start({ takeOver: true }, 'a', 'b');
  world.configMap('c', world.secret('s', 'a', { [drain]: 'b' }), 'a');
  await world.clock.advance(60_000);
  await world.clock.advance(8_000);
  const lease = world.lease('a');
  assert.equal(lease?.spec?.holderIdentity, sharderHolder);
  assert.equal(lease.metadata.annotations?.[forcedAnnotation], 'true');
  world.silence('a');
  assert.deepEqual(told(world, 'TakenOver'), ['TakenOverByForce a']);
  assert.equal(world.shardOf('s'), 'a');
  await world.clock.advance(8_000);
  assert.equal(world.shardOf('s'), 'a', 'the shard may still work on it');
  await world.clock.advance(10_000);
  assert.deepEqual([world.shardOf('s'), world.childShard('c'), world.drainOf('s')], ['b', 'b', undefined]);
  await world.clock.advance(10_000);
  assert.equal(mover.overdue, 0);
});

test('one shard at a time', async () => {
  const { world } = await start({ takeOver: true }, 'a', 'b', 'c');
  for (const shard of ['a', 'b']) world.secret(`of-${shard}`, shard, { [drain]: 'c' });
  const holders = () => ['a', 'b'].map((name) => world.lease(name)?.spec?.holderIdentity);
  await world.clock.advance(68_000);
  assert.deepEqual(holders(), [sharderHolder, 'b']);
  world.silence('a');
  await world.clock.advance(10_000);
  assert.deepEqual(holders(), [sharderHolder, 'b']);
  await world.clock.advance(20_000);
  assert.deepEqual(holders(), [sharderHolder, sharderHolder]);
});

test('not when the object proves to be let go of already', async () => {
  const { world } = await start({ takeOver: true }, 'a', 'b');
  world.secret('s', 'a', { [drain]: 'b' });
  await world.clock.advance(30_000);
  world.api.fault({
    on: ({ verb, resource }) => verb === 'watch' && resource === 'secrets',
    error: new Error('no'),
    times: 1_000,
  });
  world.api.breakWatches();
  world.api.fault({
    on: ({ verb, resource }) => verb === 'list' && resource === 'secrets',
    error: new Error('no'),
    times: 1_000,
  });
  world.api.label(secrets, ref('s'), { [assigned]: 'b', [drain]: undefined });
  await world.clock.advance(120_000);
  assert.equal(world.lease('a')?.spec?.holderIdentity, 'a');
});
