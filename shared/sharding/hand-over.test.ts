import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../kube/errors.ts';
import { configMaps, secrets } from '../kube/resources.ts';
import { createLogger } from '../runtime/logger.ts';
import { connectionError } from '../testing/api-faults.ts';
import { childPatch, ownerPatch, reads, working } from './hand-over-fixture.ts';
import { assigned, controlledBy, drain, gate, ref, ShardWorld } from './shard-fixture.ts';

test('a drained object goes to the shard that the drain names: the controlled objects first, the owner last', async () => {
  const { world, api, clock, events, shards } = await working();
  world.drain('s', 'b');
  await clock.advance(0);
  assert.deepEqual(shards(), ['b', 'b']);
  assert.equal(world.labels(secrets, 's')?.[drain], undefined);
  assert.deepEqual(
    api.writes().map(({ verb, object }) => `${verb} ${object}`),
    ['patch default/s-sums', 'patch default/s'],
  );
  assert.equal(reads(api.requests, 'configmaps', 'list'), 0, 'the first attempt takes them from the cache');
  const [begin, end] = events;
  assert(begin?.event === 'hand-over-begin' && begin.to === 'b');
  assert(end?.event === 'hand-over-end' && end.outcome === 'handed-over');
  assert.equal(end.resourceVersion, api.peek(secrets, ref('s'))?.metadata.resourceVersion);
});

test('the patches test labels, uid and the resourceVersion that they were decided on', async () => {
  const { world, api, clock } = await working();
  const version = api.peek(configMaps, ref('s-sums'))?.metadata.resourceVersion;
  world.drain('s', 'b');
  const drained = api.peek(secrets, ref('s'))?.metadata.resourceVersion;
  await clock.advance(0);
  for (const [index, expected] of [version, drained].entries()) {
    const patch = api.writes()[index]?.patch;
    assert(patch?.type === 'json');
    const tests = patch.operations.flatMap((step) => (step.op === 'test' ? [step] : []));
    assert(tests.some(({ path }) => path === '/metadata/uid'));
    assert(tests.some(({ path }) => path.startsWith('/metadata/labels/shard.')));
    assert(tests.some(({ path, value }) => path === '/metadata/resourceVersion' && value === expected));
  }
});

test('nothing is handed over before the reconcile has ended that works on it, and none begins after', async () => {
  const end = gate();
  let begun = 0;
  const world = new ShardWorld();
  const { told } = world.start({
    reconcile: () => {
      begun += 1;
      return end.promise;
    },
  });
  await world.clock.advance(0);
  world.secret('s', 'a');
  await world.clock.advance(0);
  world.drain('s', 'b');
  await world.clock.advance(20_000);
  assert.equal(world.labels(secrets, 's')?.[assigned], 'a');
  end.resolve();
  await world.clock.advance(1_000);
  assert.equal(world.labels(secrets, 's')?.[assigned], 'b');
  assert.equal(begun, 1);
  assert.deepEqual(told('reconcile-begin'), ['default/s']);
});

test('nor before a write has ended that timed out', async () => {
  const { world, api, clock, shards } = await working({ concurrency: 1 });
  api.fault({ on: ({ verb }) => verb === 'create', delayMs: 60_000 });
  api.remove(configMaps, ref('s-sums'));
  await clock.advance(0);
  world.drain('s', 'b');
  await clock.advance(4_499);
  assert.equal(shards()[0], 'a');
  await clock.advance(1_000);
  assert.equal(shards()[0], 'b');
});

test('a retry that waits is dropped when the object is drained', async () => {
  let tries = 0;
  const world = new ShardWorld();
  world.start({
    reconcile: async () => {
      tries += 1;
      throw new Error('never');
    },
  });
  await world.clock.advance(0);
  world.secret('s', 'a');
  await world.clock.advance(1_000);
  world.drain('s', 'b');
  await world.clock.advance(0);
  const before = tries;
  await world.clock.advance(300_000);
  assert.equal(tries, before);
  assert.equal(world.labels(secrets, 's')?.[assigned], 'b');
});

test('a controlled object that was just created, and is in no cache yet, goes along', async () => {
  const world = new ShardWorld();
  world.start();
  await world.clock.advance(0);
  world.api.holdWatches(configMaps);
  world.secret('s', 'a');
  await world.clock.advance(0);
  world.drain('s', 'b');
  await world.clock.advance(0);
  assert.deepEqual(world.shards('s', 's-sums'), ['b', 'b']);
});

test('so does one of which it is not known whether it was created', async () => {
  const world = new ShardWorld();
  world.start();
  await world.clock.advance(0);
  world.api.holdWatches(configMaps);
  world.api.fault({ on: ({ verb }) => verb === 'create', error: connectionError(), effect: true });
  world.secret('s', 'a');
  await world.clock.advance(0);
  world.drain('s', 'b');
  await world.clock.advance(10_000);
  assert.deepEqual(world.shards('s', 's-sums'), ['b', 'b']);
});

test('an owner that changed since it was read is read again, and then handed over', async () => {
  const { world, api, clock, events, shards } = await working();
  api.fault({ on: ownerPatch, meanwhile: () => api.label(secrets, ref('s'), { user: 'was-here' }) });
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['b', 'b']);
  const outcomes = events.flatMap((event) => (event.event === 'hand-over-end' ? [event.outcome] : []));
  assert.deepEqual(outcomes, ['failed', 'handed-over']);
});

test('a controlled object that changed since it was read is read again before its owner goes', async () => {
  const { world, api, clock, shards } = await working();
  const order: string[] = [];
  api.fault({ on: childPatch, meanwhile: () => api.label(configMaps, ref('s-sums'), { user: 'was-here' }) });
  api.fault({ on: ownerPatch, meanwhile: () => order.push(`owner after ${shards()[1]}`) });
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['b', 'b']);
  assert.deepEqual(order, ['owner after b']);
  assert(reads(api.requests, 'configmaps', 'list') > 0);
});

test('an object that has changed is no failure that the log tells of; whatever is invalid is one', async () => {
  const told: string[] = [];
  const destination = { write: (line: string) => void told.push(line) };
  const logger = createLogger({ level: 'info', name: 'test', destination });
  const { world, api, clock, shards } = await working({ logger });
  for (const [on, resource, name] of [
    [ownerPatch, secrets, 's'],
    [childPatch, configMaps, 's-sums'],
  ] as const) {
    api.fault({ on, meanwhile: () => api.label(resource, ref(name), { user: 'was-here' }) });
  }
  world.drain('s', 'b');
  await clock.advance(2_000);
  assert.deepEqual(shards(), ['b', 'b']);
  assert.deepEqual(told, []);
  const next = await working({ logger });
  const invalid = new ApiError(422, 'Invalid', 'Secret "s" is invalid: metadata.labels: refused by a policy');
  next.api.fault({ on: ownerPatch, error: invalid });
  next.world.drain('s', 'b');
  await next.clock.advance(2_000);
  assert.deepEqual(next.shards(), ['b', 'b']);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /"level":"error".*refused by a policy/);
});

test('a controlled object that is gone is no obstacle', async () => {
  const { world, api, clock } = await working();
  api.fault({ on: childPatch, meanwhile: () => api.remove(configMaps, ref('s-sums')) });
  world.drain('s', 'b');
  await clock.advance(0);
  assert.equal(world.labels(secrets, 's')?.[assigned], 'b');
});

test('after a re-target the controlled objects are read live and follow the last target', async () => {
  const { world, api, clock, shards } = await working();
  const seen: string[] = [];
  api.fault({
    on: ownerPatch,
    meanwhile: () => {
      seen.push(String(shards()));
      world.drain('s', 'c');
    },
  });
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(seen, ['a,b'], 'the first attempt had moved the controlled object');
  assert.deepEqual(shards(), ['c', 'c']);
});

test('a cancel, a drain that names the present shard, brings the controlled objects back', async () => {
  const { world, api, clock, shards, told, events } = await working();
  api.fault({ on: ownerPatch, meanwhile: () => world.drain('s', 'a') });
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['a', 'a']);
  assert.equal(world.labels(secrets, 's')?.[drain], undefined);
  assert(told('reconcile-begin').length > 0, 'and the object is worked on again');
  const ends = events.findLastIndex(({ event }) => event === 'hand-over-end');
  assert(events.findIndex(({ event }) => event === 'reconcile-begin') > ends);
});

test('after a cancel the next hand-over finds controlled objects that the cache has not back yet', async () => {
  const { world, api, clock, shards } = await working();
  api.fault({ on: ownerPatch, meanwhile: () => world.drain('s', 'a') });
  api.fault({ on: childPatch });
  // The cache has seen the controlled object go, and not yet come back.
  api.fault({ on: childPatch, meanwhile: () => api.holdWatches(configMaps) });
  world.drain('s', 'b');
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['a', 'a']);
  world.drain('s', 'c');
  await clock.advance(1_000);
  assert.deepEqual(shards(), ['c', 'c']);
});

test('a process that restarts in the middle of a hand-over reads the controlled objects live', async () => {
  const world = new ShardWorld();
  world.secret('s', 'a');
  // The process before it had moved the controlled object to b; since then the drain was re-targeted.
  world.configMap('s-sums', 's', 'b');
  world.drain('s', 'c');
  world.secret('other', 'a');
  world.configMap('other-sums', 'other', 'a');
  world.start();
  await world.clock.advance(12_000);
  assert.deepEqual(world.shards('s', 's-sums'), ['c', 'c']);
  assert.deepEqual(world.shards('other', 'other-sums'), ['a', 'a'], 'and no others');
});

test('an empty drain gives the object to nobody: all its labels go, the controlled objects` first', async () => {
  const { world, api, clock, shards } = await working();
  api.label(secrets, ref('s'), { keep: 'me' });
  await clock.advance(0);
  api.requests.length = 0;
  world.drain('s', '');
  await clock.advance(0);
  assert.deepEqual(shards(), [undefined, undefined]);
  assert.deepEqual(world.labels(secrets, 's'), { keep: 'me' });
  assert.deepEqual(
    api.writes().map(({ object }) => object),
    ['default/s-sums', 'default/s'],
  );
});

test('a controlled object of another owner of that name stays where it is', async () => {
  const world = new ShardWorld();
  world.start();
  await world.clock.advance(0);
  world.secret('s', 'a');
  await world.clock.advance(0);
  const stranger = { ...world.api.peek(secrets, ref('s')), metadata: { name: 's', uid: 'former' } };
  world.api.seed(configMaps, controlledBy(stranger, 'former-sums', { [assigned]: 'a' }));
  await world.clock.advance(0);
  world.drain('s', 'b');
  await world.clock.advance(0);
  assert.equal(world.labels(configMaps, 'former-sums')?.[assigned], 'a');
  assert.equal(world.labels(configMaps, 's-sums')?.[assigned], 'b');
});
