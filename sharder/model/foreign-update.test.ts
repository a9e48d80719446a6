import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { pinLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, drain, ref } from '../moves/ring-fixture.ts';
import { ModelWorld } from './model-fixture.ts';

test('an update after a foreign shard let go gives the owner to nobody before its controlled objects', async () => {
  const world = new ModelWorld();
  const { api, clock, rules } = world;
  const sharder = world.sharder('k1');
  world.webhook(sharder);
  world.shard('a');
  world.process('b');
  await clock.advance(2_000);
  world.pair('s', 'a');
  sharder.move();
  await clock.advance(1_000);
  api.label(secrets, ref('s'), { [pinLabel(ring)]: 'b' });
  await world.until('the drain', () => world.drainOf('s') === 'b');

  const patch = (user: string, metadata: object): Promise<PartialObject> =>
    api.client({ user }).patchMetadata(secrets, ref('s'), { type: 'merge', body: { metadata } });
  // The sharder acts only when both have happened.
  api.delayWatches(({ user, resource }) => (user === 'k1' && resource === 'secrets' ? 1_000 : 0));
  const letGo = await patch('a#0', { labels: { [assigned]: null, [drain]: null } });
  assert.equal(letGo.metadata.labels?.[assigned], undefined);
  const updated = await patch('somebody', { annotations: { touched: 'true' } });
  assert.equal(updated.metadata.labels?.[assigned], undefined);
  assert.deepEqual(world.pairOf(), { owner: undefined, child: 'a', drain: undefined });

  await world.until('its new shard', () => world.shardOf('s') !== undefined, 3_000);
  assert.deepEqual(world.pairOf(), { owner: 'b', child: 'b', drain: undefined });
  assert.deepEqual(rules.of('exclusion', 'order', 'let-go', 'sees-own'), []);
});
