import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import { WriteFence } from '../lease/write-fence.ts';
import { silentLogger } from '../runtime/logger.ts';
import { connectionError } from '../testing/api-faults.ts';
import { assigned, controlledBy, drain, ref, ring, ShardWorld, shardController } from './shard-fixture.ts';
import type { ShardController, ShardOptions } from './shard-options.ts';
import { ShardWork } from './shard-work.ts';

async function start(reconcile: ShardController<KubeObject>['reconcile']) {
  const world = new ShardWorld();
  const { api, clock } = world;
  const stop = new AbortController();
  const fence = new WriteFence(clock, 3_600_000);
  fence.renewed(0);
  const options: ShardOptions = {
    client: api,
    clock,
    logger: silentLogger,
    ring,
    shard: 'a',
    leaseNamespace: 'default',
    identity: 'pod-1',
  };
  const work = new ShardWork(options, [shardController(secrets, [configMaps], reconcile)], fence);
  const running = work.run(stop.signal, new AbortController().signal, 0, () => undefined);
  await clock.advance(0);
  return { world, api, clock, work, stop, running };
}

const leaves: Array<[string, (world: ShardWorld) => void]> = [
  ['is deleted', ({ api }) => api.remove(secrets, ref('s'))],
  ['goes to another shard', ({ api }) => api.label(secrets, ref('s'), { [assigned]: 'b' })],
  [
    'is deleted and created again',
    (world) => {
      world.api.remove(secrets, ref('s'));
      world.secret('s', 'b');
    },
  ],
];

for (const [what, leave] of leaves) {
  test(`nothing is kept in mind of an owner that ${what} while its reconcile still creates something`, async () => {
    for (const fault of [{}, { error: connectionError(), effect: true }]) {
      const begun = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      const { world, api, clock, work, stop, running } = await start(async ({ object, writer }) => {
        begun.resolve();
        await go.promise;
        await writer.create(configMaps, controlledBy(object, 'late'));
      });
      // No cache ever sees what is created.
      api.holdWatches(configMaps);
      api.fault({ on: ({ verb }) => verb === 'create', ...fault });
      world.secret('s', 'a');
      await clock.advance(0);
      await begun.promise;
      leave(world);
      await clock.advance(0);
      go.resolve();
      await clock.advance(10_000);
      assert(api.peek(configMaps, ref('late')));
      assert.equal(work.remembered, 0);
      stop.abort();
      await clock.advance(0);
      await running.catch(() => undefined);
    }
  });
}

test('nor of one that is deleted in the middle of its hand-over', async () => {
  const { world, api, clock, work } = await start(() => Promise.resolve());
  world.secret('s', 'a');
  world.configMap('c', 's', 'a');
  await clock.advance(0);
  api.fault({
    on: ({ verb, resource }) => verb === 'patch' && resource === 'configmaps',
    delayMs: 1_000,
  });
  api.label(secrets, ref('s'), { [drain]: 'b' });
  await clock.advance(500);
  assert(work.remembered > 0);
  api.remove(secrets, ref('s'));
  await clock.advance(10_000);
  assert.equal(work.remembered, 0);
});
