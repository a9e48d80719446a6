/** What can't be done now must not keep anything else waiting, nor be tried all the time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { Refusals } from './refusals.ts';
import { patchOf, RingWorld } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

const refused = { error: new ApiError(403, 'Forbidden', 'a policy says no'), times: Number.MAX_SAFE_INTEGER };

function moverOf(world: RingWorld): { ended: Promise<void> } {
  const mover = new RingMover(world.moves, 300_000);
  world.membership.onChange(() => mover.membershipChanged());
  return { ended: mover.run(world.signal) };
}

async function pass(world: RingWorld, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) await world.clock.advance(500);
}

const lists = (world: RingWorld, resource: string): number =>
  world.api.requests.filter((request) => request.verb === 'list' && request.resource === resource).length;

async function end(world: RingWorld, { ended }: { ended: Promise<void> }): Promise<void> {
  world.stop.abort();
  await ended;
}

test('an object that can’t be moved keeps no other dead shard’s objects waiting', async () => {
  const world = new RingWorld();
  for (let i = 0; i < 5; i++) world.secret(`x${i}`, 'x');
  for (let i = 0; i < 5; i++) world.secret(`y${i}`, 'y');
  await world.withShards('a', 'x', 'y');
  const mover = moverOf(world);
  await pass(world, 5_000);
  world.api.fault({ on: patchOf('secrets', 'x0'), ...refused });
  world.release('x');
  await pass(world, 3_000);
  world.release('y');
  await pass(world, 5_000);
  assert.deepEqual(world.loads(), { x: 1, a: 9 });
  await end(world, mover);
});

test('levelling that is refused is tried less and less often', async () => {
  const world = new RingWorld();
  for (let i = 0; i < 60; i++) world.secret(`s${i}`, 'a');
  world.obey();
  await world.withShards('a', 'b');
  world.api.fault({
    on: (request) => request.verb === 'patch' && request.resource === 'secrets',
    ...refused,
  });
  const mover = moverOf(world);
  world.api.requests.length = 0;
  await pass(world, 120_000);
  assert.ok(lists(world, 'secrets') < 30, `${lists(world, 'secrets')} lists`);
  await end(world, mover);
});

test('a drain that nobody answers doesn’t bring about lists without end', async () => {
  const world = new RingWorld();
  for (let i = 0; i < 60; i++) world.configMap(`c${i}`, world.secret(`s${i}`, 'a'), 'a');
  await world.withShards('a', 'b');
  const mover = moverOf(world);
  await pass(world, 60_000);
  world.api.requests.length = 0;
  await pass(world, 300_000);
  assert.ok(lists(world, 'configmaps') <= 10, `${lists(world, 'configmaps')} lists`);
  await end(world, mover);
});

test('while there is no shard nothing is listed for the objects that wait', async () => {
  const world = new RingWorld();
  await world.withShards();
  for (let i = 0; i < 3; i++) world.secret(`s${i}`);
  const mover = moverOf(world);
  // After the looks with which a sharder starts.
  await pass(world, 15_000);
  world.api.requests.length = 0;
  await pass(world, 60_000);
  assert.equal(lists(world, 'configmaps'), 0);
  await end(world, mover);
});

test('labels that name no Lease are found by a sharder that has just started, a Lease duration later', async () => {
  const world = new RingWorld();
  for (let i = 0; i < 3; i++) world.secret(`s${i}`, 'ghost');
  world.shard('a');
  const watching = world.membership.run(world.stop.signal);
  await world.clock.advance(50);
  const mover = moverOf(world);
  await pass(world, 14_000);
  assert.deepEqual(world.loads(), { ghost: 3 });
  await pass(world, 3_000);
  assert.deepEqual(world.loads(), { a: 3 });
  await end(world, mover);
  await watching;
});

test('an object that somebody refuses to have labelled keeps no other waiting, and an Event says why', async () => {
  const world = new RingWorld();
  await world.withShards('a');
  const invalid = new ApiError(422, 'Invalid', 'Secret "s1" is invalid: data: too long');
  world.api.fault({ on: patchOf('secrets', 's1'), error: invalid, times: Number.MAX_SAFE_INTEGER });
  for (let i = 0; i < 5; i++) world.secret(`s${i}`);
  const mover = moverOf(world);
  await pass(world, 10_000);
  assert.deepEqual(world.loads(), { a: 4, '': 1 });
  assert.deepEqual(world.told, ['LabelRefused s1']);
  await end(world, mover);
});

test('of many that are refused twenty are told of in five minutes; a lost label or right is not told so', async () => {
  const world = new RingWorld();
  const refusals = new Refusals({ record: ({ note }) => void world.told.push(note) }, world.clock);
  const other = world.secret('other');
  const objects = Array.from({ length: 30 }, (_, i) => world.secret(`s${i}`));
  const policy = new ApiError(
    403,
    'Forbidden',
    'ValidatingAdmissionPolicy "p" denied request: not on Fridays',
  );
  const noteAll = (): void => {
    for (const object of objects) refusals.note(object, policy);
  };
  for (const error of [
    new ApiError(403, 'Forbidden', 'User "s" cannot patch resource "secrets" in API group ""'),
    new ApiError(429, 'TooManyRequests', 'slow down'),
    new ApiError(500, 'InternalError', 'etcd'),
    connectionError(),
  ])
    refusals.note(other, error);
  assert.deepEqual(world.told, []);
  noteAll();
  noteAll();
  assert.equal(world.told.length, 20);
  assert.match(
    world.told[0] ?? '',
    /^Its shard labels can't be changed, .*: ValidatingAdmissionPolicy "p" denied request/,
  );
  await world.clock.advance(300_000);
  noteAll();
  assert.equal(world.told.length, 40);
});
