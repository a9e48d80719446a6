import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, pods, secrets } from '../kube/resources.ts';
import type { KubeObject, Resource } from '../kube/types.ts';
import { connectionError } from '../testing/api-faults.ts';
import { childPatch, working } from './hand-over-fixture.ts';
import { assigned, controlledBy, gate, ref, ShardWorld, shardController } from './shard-fixture.ts';

const nothing = (): Promise<void> => Promise.resolve();

/**
 * Shard `a` with two controllers. Which of them is at work on the Secret, or on what it controls, when it is drained:
 * it is handed over once both have ended, and neither begins anew.
 */
const reaches: Array<{ what: string; second: Resource; busy: 'first' | 'second' }> = [
  { what: 'the first of two controllers for it', second: secrets, busy: 'first' },
  { what: 'the second of two controllers for it', second: secrets, busy: 'second' },
  { what: 'the controller for it, not the one for what it controls', second: configMaps, busy: 'first' },
  { what: 'the controller for what it controls', second: configMaps, busy: 'second' },
];
for (const { what, second, busy } of reaches) {
  test(`an object is not handed over while ${what} is at work`, async () => {
    const world = new ShardWorld();
    const end = gate();
    const begun = { first: 0, second: 0 };
    const reconcile = (which: 'first' | 'second') => () => {
      begun[which] += 1;
      return which === busy ? end.promise : nothing();
    };
    world.start({
      controlled: [configMaps],
      reconcile: reconcile('first'),
      more: [shardController(second, [], reconcile('second'), { name: 'second' })],
    });
    await world.clock.advance(0);
    world.secret('s', 'a');
    world.configMap('c', 's', 'a');
    await world.clock.advance(100);
    const before = { ...begun };
    assert.equal(before[busy], 1);
    world.drain('s', 'b');
    world.api.label(configMaps, ref('c'), { changed: 'yes' });
    await world.clock.advance(30_000);
    assert.deepEqual(world.shards('s', 'c'), ['a', 'a']);
    assert.deepEqual(begun, before, 'nothing begins on what is to be handed over');
    end.resolve();
    await world.clock.advance(1_000);
    assert.deepEqual(world.shards('s', 'c'), ['b', 'b']);
    assert.deepEqual(begun, before);
  });
}

test('what changed while a drain stood is reconciled by all when the drain is taken back', async () => {
  for (const takeBack of ['by the sharder', 'by a user'] as const) {
    const world = new ShardWorld();
    const end = gate();
    const seen: string[] = [];
    let hold = false;
    const never = { updated: () => false };
    world.start({
      reconcile: async () => {
        seen.push('first');
        if (hold) await end.promise;
      },
      more: [
        shardController(
          configMaps,
          [],
          async () => {
            seen.push('second');
          },
          { name: 'second', for: { resource: configMaps, predicates: [never] } },
        ),
      ],
    });
    await world.clock.advance(0);
    world.secret('s', 'a');
    world.configMap('c', 's', 'a');
    await world.clock.advance(100);
    hold = true;
    world.api.label(secrets, ref('s'), { changed: '1' });
    await world.clock.advance(0);
    world.drain('s', 'b');
    await world.clock.advance(100);
    seen.length = 0;
    world.api.label(secrets, ref('s'), { changed: '2' });
    await world.clock.advance(100);
    assert.deepEqual(seen, []);
    world.drain('s', takeBack === 'by a user' ? undefined : 'a');
    hold = false;
    await world.clock.advance(0);
    end.resolve();
    await world.clock.advance(1_000);
    assert.deepEqual(world.shards('s', 'c'), ['a', 'a']);
    assert.deepEqual(new Set(seen), new Set(['first', 'second']), takeBack);
  }
});

test('nothing begins on an object in the middle of its hand-over, even if its drain is taken off', async () => {
  const { world, api, clock, events } = await working();
  api.fault({ on: childPatch, delayMs: 1_000 });
  world.drain('s', 'b');
  await clock.advance(500);
  world.drain('s', undefined);
  await clock.advance(10_000);
  const kinds = events.map(({ event }) => event).filter((event) => !event.startsWith('write'));
  assert.deepEqual(kinds.slice(0, 3), ['hand-over-begin', 'hand-over-end', 'reconcile-begin']);
});

test('what is controlled waits for what controls it, however late that comes, and is let go when it never does', async () => {
  const world = new ShardWorld();
  const seen: string[] = [];
  const note = async ({ object }: { object: KubeObject }): Promise<void> => {
    seen.push(object.metadata.name);
  };
  world.start({
    controlled: [configMaps, pods],
    reconcile: nothing,
    more: [shardController(pods, [], note, { name: 'second' })],
  });
  await world.clock.advance(0);
  const owner = world.secret('s', 'b');
  const middle = world.configMap('c', 's', 'a');
  world.api.seed(pods, controlledBy(middle, 'p', { [assigned]: 'a' }));
  await world.clock.advance(60_000);
  assert.deepEqual(seen, [], 'its owner is on another shard');
  world.api.label(secrets, ref('s'), { [assigned]: 'a' });
  await world.clock.advance(1_000);
  assert.deepEqual(seen, ['p']);
  assert(owner.metadata.uid);

  const gone = { ...owner, metadata: { ...owner.metadata, name: 'gone', uid: 'gone' } };
  world.api.seed(configMaps, controlledBy(gone, 'd', { [assigned]: 'a' }));
  const orphaned = world.api.peek<KubeObject>(configMaps, ref('d'));
  assert(orphaned);
  world.api.seed(pods, controlledBy(orphaned, 'q', { [assigned]: 'a' }));
  await world.clock.advance(1_000);
  assert.deepEqual([...new Set(seen)], ['p', 'q'], 'what controls it is gone: it is on its own');
});

for (const fault of [undefined, connectionError()]) {
  const what = fault ? 'of which it is not known whether it was made' : 'that no cache has seen';
  test(`what one controller made for an object that another one owns goes along, even one ${what}`, async () => {
    const world = new ShardWorld();
    const { api, clock } = world;
    let made = false;
    world.start({
      controlled: [configMaps, pods],
      reconcile: nothing,
      more: [
        shardController(
          configMaps,
          [pods],
          async ({ object, writer }) => {
            if (made) return;
            made = true;
            await writer.create(pods, controlledBy(object, 'p')).catch(() => undefined);
          },
          { name: 'second' },
        ),
      ],
    });
    await clock.advance(0);
    api.holdWatches(pods);
    if (fault) api.fault({ on: ({ verb }) => verb === 'create', error: fault, effect: true });
    world.secret('s', 'a');
    world.configMap('c', 's', 'a');
    await clock.advance(10_000);
    assert.equal(world.labels(pods, 'p')?.[assigned], 'a');
    world.drain('s', 'b');
    await clock.advance(1_000);
    assert.deepEqual([...world.shards('s', 'c'), world.labels(pods, 'p')?.[assigned]], ['b', 'b', 'b']);
  });
}

test('several controllers for one resource share a cache, and each object is in the shard once', async () => {
  const world = new ShardWorld();
  const { shard } = world.start({ more: [shardController(secrets, [pods], nothing, { name: 'second' })] });
  await world.clock.advance(0);
  const watches = world.api.requests.filter(({ verb }) => verb === 'watch').map(({ resource }) => resource);
  assert.deepEqual(watches.toSorted(), ['configmaps', 'pods', 'secrets']);
  assert.equal(shard.controllers.length, 2);
});

test('a controlled object that left and came back in one gap of its watch is reconciled, whatever the predicates say', async () => {
  const world = new ShardWorld();
  const { api, clock } = world;
  const seen: string[] = [];
  const never = { updated: () => false };
  world.start({
    reconcile: nothing,
    more: [
      {
        ...shardController(configMaps, [], async ({ object }) => void seen.push(object.metadata.name)),
        for: { resource: configMaps, predicates: [never] },
      },
    ],
  });
  await clock.advance(0);
  world.secret('s', 'a');
  world.configMap('c', 's', 'a');
  await clock.advance(100);
  seen.length = 0;
  api.holdWatches(configMaps);
  world.drain('s', 'b');
  await clock.advance(100);
  assert.deepEqual(world.shards('s', 'c'), ['b', 'b']);
  api.label(configMaps, ref('c'), { [assigned]: 'a' });
  api.label(secrets, ref('s'), { [assigned]: 'a' });
  await clock.advance(100);
  assert.deepEqual(seen, [], 'its cache is behind');
  api.breakWatches(connectionError(), ({ resource }) => resource === 'configmaps');
  api.compact();
  api.letWatchesGoOn(configMaps);
  await clock.advance(2_000);
  assert.deepEqual(new Set(seen), new Set(['c']));
});
