import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '../../kube/resources.ts';
import type { KubeObject } from '../../kube/types.ts';
import { connectionError } from '../../testing/api-faults.ts';
import { childPatch, ownerPatch } from '../hand-over-fixture.ts';
import type { ShardEvent } from '../shard-event.ts';
import { assigned, controlledBy, drain, gate, ref, ShardWorld } from '../shard-fixture.ts';

/** The shards `a` and `b`; `s` and `s-sums` are on `a`. Whoever works on `s`, works on it for a second. */
async function twoShards() {
  const world = new ShardWorld();
  const { api, clock } = world;
  const working = new Map<string, string>();
  const broken: string[] = [];
  const begun: string[] = [];
  const handOvers: string[] = [];
  const observe =
    (shard: string) =>
    (event: ShardEvent): void => {
      if (event.event === 'reconcile-begin') {
        begun.push(shard);
        const other = working.get(event.uid);
        if (other !== undefined && other !== shard)
          broken.push(`${other} and ${shard} work on ${event.object}`);
        working.set(event.uid, shard);
        const [owner, child] = world.shards('s', 's-sums');
        if (owner === shard && child !== shard)
          broken.push(`${shard} begins while its controlled object is on ${child}`);
      }
      if (event.event === 'reconcile-end') working.delete(event.uid);
      if (event.event === 'hand-over-begin') handOvers.push(`${shard} to ${event.to}`);
    };
  const shards = ['a', 'b'].map((shard) =>
    world.start({
      shard,
      client: api.client({ user: shard }),
      identity: `pod-${shard}`,
      observer: observe(shard),
      reconcile: () => clock.sleep(1_000),
    }),
  );
  await clock.advance(0);
  world.secret('s', 'a');
  world.configMap('s-sums', 's', 'a');
  await clock.advance(3_000);
  assert.deepEqual(new Set(begun), new Set(['a']));
  return { world, api, clock, broken, begun, handOvers, shards, pair: () => world.shards('s', 's-sums') };
}

/** From now on `a` learns of Secrets as late as `delayMs`. */
const late = ({ api }: ShardWorld, delayMs: number): (() => void) =>
  api.delayWatches(({ user, resource }) => (user === 'a' && resource === 'secrets' ? delayMs : 0));

test('flaw-no-memory: a shard does not hand over again what its late cache still holds', async () => {
  const { world, api, clock, broken, begun, handOvers, pair } = await twoShards();
  // The first attempt meets a newer version; the second one comes with the news of it, and the first one's retry later.
  api.fault({ on: childPatch, meanwhile: () => api.label(secrets, ref('s'), { touched: 'yes' }) });
  let attempts = 0;
  api.fault({
    on: ownerPatch,
    times: 2,
    // What the second one makes of it is news that comes late.
    meanwhile: () => {
      attempts += 1;
      if (attempts === 2) late(world, 20_000);
    },
  });
  world.drain('s', 'b');
  await clock.advance(3_000);
  assert.deepEqual(pair(), ['b', 'b']);
  assert.equal(attempts, 2);
  assert.deepEqual(handOvers, ['a to b', 'a to b']);
  world.drain('s', 'a');
  await clock.advance(3_000);
  assert.deepEqual(pair(), ['a', 'a']);
  await clock.advance(40_000);
  assert.deepEqual(pair(), ['a', 'a']);
  assert.deepEqual(handOvers, ['a to b', 'a to b', 'b to a']);
  assert.deepEqual(broken, []);
  assert.equal(begun.at(-1), 'a');
});

test('flaw-memory-deleted: an object that is back is worked on, although its going was never seen', async () => {
  const { world, api, clock, broken, begun, pair } = await twoShards();
  let inTime = (): void => {};
  api.fault({
    on: ownerPatch,
    meanwhile: () => {
      inTime = late(world, 60_000);
    },
  });
  world.drain('s', 'b');
  await clock.advance(3_000);
  assert.deepEqual(pair(), ['b', 'b']);
  world.drain('s', 'a');
  await clock.advance(3_000);
  assert.deepEqual(pair(), ['a', 'a']);
  const before = begun.length;
  // What happened meanwhile is kept no more: `a` lists, and finds the object as if it had never gone.
  inTime();
  api.compact();
  api.breakWatches(connectionError(), ({ user }) => user === 'a');
  await clock.advance(5_000);
  assert(begun.length > before, 'it is forgotten');
  assert.equal(begun.at(-1), 'a');
  assert.deepEqual(broken, []);
});

test('flaw-resolve: a last patch of unknown fate is looked at before the next hand-over', async () => {
  const { world, api, clock, broken, pair } = await twoShards();
  api.fault({
    on: (request) => request.user === 'a' && ownerPatch(request),
    meanwhile: () => void late(world, 30_000),
    error: connectionError(),
    effect: true,
  });
  world.drain('s', 'b');
  await clock.advance(10);
  assert.deepEqual(pair(), ['b', 'b'], 'it has landed, and `a` does not know');
  await clock.advance(1_500);
  // On its way back: `b` has let go of the controlled object only.
  api.fault({ on: (request) => request.user === 'b' && ownerPatch(request), delayMs: 3_900 });
  world.drain('s', 'a');
  await clock.advance(500);
  assert.deepEqual(pair(), ['b', 'a']);
  await clock.advance(10_000);
  assert.deepEqual(pair(), ['a', 'a']);
  assert.equal(world.labels(secrets, 's')?.[drain], undefined);
  assert.deepEqual(broken, []);
});

test('flaw-uid: what is written for an object harms none of its successor', async () => {
  const world = new ShardWorld();
  const { api, clock } = world;
  const end = gate();
  const answers: string[] = [];
  const tell = (write: Promise<unknown>): Promise<void> =>
    write.then(
      () => void answers.push('done'),
      (error: unknown) => void answers.push(String(error instanceof Error ? error.name : error)),
    );
  let read: KubeObject | undefined;
  world.start({
    reconcile: async ({ object, controlled, writer }) => {
      read ??= controlled(configMaps)[0];
      await end.promise;
      if (read) await tell(writer.update(configMaps, { ...read, data: { by: 'a' } } as KubeObject));
      await tell(writer.create(configMaps, controlledBy(object, 's-sums')));
    },
  });
  await clock.advance(0);
  const former = world.secret('s', 'a');
  world.configMap('s-sums', 's', 'a');
  await clock.advance(100);
  assert.ok(read);
  api.remove(configMaps, ref('s-sums'));
  api.remove(secrets, ref('s'));
  const successor = world.secret('s', 'b');
  assert.notEqual(successor.metadata.uid, former.metadata.uid);
  world.configMap('s-sums', 's', 'b');
  end.resolve();
  await clock.advance(1_000);
  assert.deepEqual(answers, ['ApiError', 'ApiError'], 'neither its update nor its create landed');
  const child = api.peek<KubeObject>(configMaps, ref('s-sums'));
  assert.equal(child?.metadata.labels?.[assigned], 'b');
  assert.equal(child?.metadata.ownerReferences?.[0]?.uid, successor.metadata.uid);
});
