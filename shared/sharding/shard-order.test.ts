import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '../kube/resources.ts';
import { gate, ref, ShardWorld } from './shard-fixture.ts';

test('what changes, and what is to be handed over, does not wait for all that was there at the start', async () => {
  const world = new ShardWorld();
  for (const name of ['a', 'b', 'c', 'd']) world.secret(name, 'a');
  for (const name of ['a', 'b']) world.configMap(`${name}-sums`, name, 'a');
  world.drain('d', 'next');
  const first = gate();
  const order: string[] = [];
  const { stop, running, told } = world.start({
    concurrency: 1,
    reconcile: async ({ object }) => {
      order.push(object.metadata.name);
      if (order.length === 1) await first.promise;
    },
  });
  await world.clock.advance(60_000);
  assert.deepEqual(order, ['a']);
  assert.equal(
    world.labels(secrets, 'd')?.['drain.alpha.sharding.timebertt.dev/ring'],
    undefined,
    'handed over',
  );
  world.api.label(secrets, ref('c'), { changed: 'yes' });
  await world.clock.advance(1_000);
  first.resolve();
  await world.clock.advance(1_000);
  assert.deepEqual(told('reconcile-begin'), ['default/a', 'default/c', 'default/b']);
  stop.abort();
  await running;
});
