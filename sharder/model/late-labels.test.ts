import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { pinLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type ApiRequest, connectionError } from '@controller-sharding/shared/testing/api-faults.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, ref } from '../moves/ring-fixture.ts';
import { ModelWorld, type Sharder } from './model-fixture.ts';

/** Lists of what is on the shard, by that user. */
const looks = ({ api }: ModelWorld, user: string, shard: string): number =>
  api.requests.filter(
    (request) =>
      request.user === user &&
      request.verb === 'list' &&
      request.resource === 'secrets' &&
      request.labelSelector === `${assigned}=${shard}`,
  ).length;

/** A shard's end, of which one sharder has seen nothing yet while the other has already found it empty. */
async function emptied(world: ModelWorld, name: string, late: Sharder, leader: Sharder): Promise<void> {
  const { membership } = leader;
  world.blind(late.user);
  world.processes.get(name)?.end();
  await world.until('the shard to look dead', () => membership.isGivenUp(ring, name), 2_000);
  leader.move();
  leader.keepLeases();
  await world.until('its objects to be listed', () => looks(world, leader.user, name) > 0, 2_000);
  await world.clock.advance(100);
}

test('what a sharder with an older view sends to a dead shard after its objects were listed is found', async () => {
  const world = new ModelWorld();
  const { api, clock, rules } = world;
  const [leader, late] = [world.sharder('k1'), world.sharder('k2')];
  for (const name of ['a', 'b', 'c']) world.process(name);
  await clock.advance(3_000);
  world.pair('s', 'a');
  await clock.advance(2_000);
  await emptied(world, 'b', late, leader);
  const [looked, since] = [looks(world, 'k1', 'b'), clock.monotonic()];

  // The leader learns of the move only when it is over.
  api.delayWatches(({ user, resource }) => (user === 'k1' && resource === 'secrets' ? 2_000 : 0));
  api.label(secrets, ref('s'), { [pinLabel(ring)]: 'b' });
  late.move();
  await world.until('the move to the dead shard', () => world.shardOf('s') === 'b', 2_000);
  assert.deepEqual(world.pairOf(), { owner: 'b', child: 'b', drain: undefined });
  world.disconnect('k2');
  assert.equal(looks(world, 'k1', 'b'), looked);

  await world.until('a living shard', () => world.shardOf('s') !== 'b', 13_000);
  assert(clock.monotonic() - since > 10_000);
  assert.match(world.pairOf().owner ?? '', /^[ac]$/);
  assert.equal(world.pairOf().child, world.pairOf().owner);
  assert.deepEqual(rules.of('exclusion', 'order', 'let-go', 'sees-own'), []);
});

test('whatever is found on a dead shard when its Lease is due to be deleted is moved first', async () => {
  const world = new ModelWorld();
  const { api, clock } = world;
  const [leader, late] = [world.sharder('k1'), world.sharder('k2')];
  for (const name of ['a', 'b']) world.process(name);
  await clock.advance(3_000);
  await emptied(world, 'b', late, leader);
  await clock.advance(40_000);
  // The look for names without a living shard finds nothing.
  const isForNames = ({ user, labelSelector = '' }: ApiRequest): boolean =>
    user === 'k1' && labelSelector.includes('notin');
  api.fault({ on: isForNames, times: Infinity, error: connectionError() });
  world.pair('s', 'b');
  let leftBehind = 0;
  while (world.lease('b') !== undefined) {
    leftBehind = world.shardOf('s') === 'b' ? leftBehind + 1 : leftBehind;
    await clock.advance(100);
  }
  assert(leftBehind > 0);
  assert.deepEqual(world.pairOf(), { owner: 'a', child: 'a', drain: undefined });
  assert.equal(api.all<KubeObject>(configMaps).length, 1);
});

test('an object that a webhook with an older view gives to a dead shard is found, and later on it gives none', async () => {
  const world = new ModelWorld();
  const { api, clock, rules } = world;
  const [leader, late] = [world.sharder('k1'), world.sharder('k2')];
  world.webhook(late);
  for (const name of ['a', 'b']) world.process(name);
  await clock.advance(3_000);
  const create = async (name: string): Promise<string | undefined> => {
    const { metadata } = await api
      .client({ user: 'somebody' })
      .create<KubeObject>(secrets, { metadata: ref(name) });
    return metadata.labels?.[assigned];
  };
  await emptied(world, 'a', late, leader);

  const labels = await Promise.all(Array.from({ length: 10 }, (_, number) => create(`s${number}`)));
  assert(labels.includes('a'), JSON.stringify(labels));
  await clock.advance(5_000);
  assert.equal(await create('latest'), undefined);

  await world.until('a living shard for all', () => world.loads()['b'] === 11, 8_000);
  assert.deepEqual(rules.of('exclusion', 'order', 'let-go', 'sees-own'), []);
});
