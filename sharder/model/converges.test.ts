/** What breaks a rule for an object, and comes right by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Patch } from '@controller-sharding/shared/kube/api-client.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { pinLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { labelPatch } from '@controller-sharding/shared/sharding/label-patch.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, drain, ref } from '../moves/ring-fixture.ts';
import { ModelWorld } from './model-fixture.ts';

/** Nothing is written any more, and both are on that shard. */
async function restsOn(world: ModelWorld, shard: string): Promise<void> {
  const writes = world.relabelled().length;
  await world.clock.advance(60_000);
  assert.equal(world.relabelled().length, writes);
  assert.deepEqual(world.pairOf(), { owner: shard, child: shard, drain: undefined });
}

test('a controlled object that a sharder with an older view brings back to its dead shard is fetched', async () => {
  const world = new ModelWorld();
  const { clock, rules } = world;
  const [leader, late] = [world.sharder('k1'), world.sharder('k2')];
  const first = world.process('a');
  world.process('b');
  await clock.advance(3_000);
  world.pair('s', 'a');
  await clock.advance(2_000);
  world.blind('k2');
  first.end();
  await world.until('the shard to look dead', () => leader.membership.isGivenUp(ring, 'a'), 2_000);
  world.hit('k1', 'patch', 'secrets', { delayMs: 3_000 });
  leader.move();
  await world.until('the ConfigMap to be moved', () => world.childShard('s-sums') === 'b', 1_000);
  late.move();
  await world.until('the ConfigMap to be brought back', () => world.childShard('s-sums') === 'a', 2_000);
  world.disconnect('k2');
  await world.until('the owner to be moved', () => world.shardOf('s') === 'b', 4_000);
  assert.equal(rules.of('order').length, 1);
  await world.until('the ConfigMap to be fetched', () => world.childShard('s-sums') === 'b', 3_000);
  await restsOn(world, 'b');
  assert.deepEqual(rules.of('exclusion', 'let-go'), []);
});

test('an object of which a foreign shard lets go by a late answer to an earlier drain finds a shard', async () => {
  const world = new ModelWorld();
  const { api, clock, rules } = world;
  const sharder = world.sharder('k1');
  world.shard('a');
  world.process('b');
  await clock.advance(2_000);
  world.pair('s', 'a');
  sharder.move();
  await clock.advance(1_000);
  const pin = (shard: string): void => api.label(secrets, ref('s'), { [pinLabel(ring)]: shard });
  pin('b');
  await world.until('the drain', () => world.drainOf('s') === 'b');

  // It answers twice; the second answer is long on its way. Meanwhile it gets the object again.
  const drained = api.peek<KubeObject>(secrets, ref('s'));
  assert.ok(drained);
  const answer: Patch = labelPatch(drained, { [assigned]: undefined, [drain]: undefined });
  const foreign = api.client({ user: 'a#0' });
  pin('a');
  await foreign.patchMetadata(secrets, ref('s'), answer);
  await world.until('the object to be back', () => world.shardOf('s') === 'a', 3_000);
  const about = { resource: 'secrets', object: 'default/s', uid: drained.metadata.uid ?? '' };
  rules.told('a#0', { event: 'reconcile-begin', ...about });
  pin('b');
  await world.until('the drain', () => world.drainOf('s') === 'b');
  await foreign.patchMetadata(secrets, ref('s'), answer);

  await world.until('its new shard', () => world.shardOf('s') === 'b', 5_000);
  await world.until('its work', () => rules.begun.includes('b#1 s'), 1_000);
  assert(rules.of('exclusion').length > 0);
  rules.told('a#0', { event: 'reconcile-end', ...about, outcome: 'done' });
  await restsOn(world, 'b');
  assert.deepEqual(rules.of('order', 'sees-own'), []);
});

for (const [webhook, name] of [
  ['there', 'b'],
  // Where its hash leads.
  ['away', 'a'],
] as const) {
  test(`a shard label that a user removes while the shard works, the webhook ${webhook}: it ends on ${name}`, async () => {
    const world = new ModelWorld();
    const { api, clock, rules } = world;
    const sharder = world.sharder('k1');
    if (webhook === 'there') world.webhook(sharder);
    world.process('a');
    world.process('b');
    await clock.advance(3_000);
    world.pair('s', 'b');
    sharder.move();
    await clock.advance(2_000);
    world.reconcileMs = 10_000;
    api.label(secrets, ref('s'), { touched: 'true' });
    await clock.advance(1_000);

    const body = { metadata: { labels: { [assigned]: null } } };
    await api.client({ user: 'somebody' }).patchMetadata(secrets, ref('s'), { type: 'merge', body });
    assert.equal(world.shardOf('s'), webhook === 'there' ? 'b' : undefined);
    await clock.advance(5_000);
    assert.equal(rules.of('exclusion').length > 0, webhook === 'away', JSON.stringify(rules.broken));
    await clock.advance(20_000);
    assert.deepEqual(rules.of('order', 'sees-own'), []);
    await restsOn(world, name);
  });
}
