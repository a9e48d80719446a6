import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { cordonedAnnotation, pinLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ring } from '../membership/membership-fixture.ts';
import { ref } from '../moves/ring-fixture.ts';
import { ModelWorld } from './model-fixture.ts';

/** The Secret goes from `a` to `b`: its ConfigMap has, and its own last patch is on its way. */
async function halfHandedOver(world: ModelWorld, ...shards: string[]): Promise<void> {
  const { api, clock } = world;
  const sharder = world.sharder('k1');
  for (const name of shards) world.process(name);
  await clock.advance(3_000);
  world.pair('s', 'a');
  await clock.advance(2_000);
  sharder.move();
  await clock.advance(1_000);
  world.hit(world.processes.get('a')?.user ?? '', 'patch', 'secrets', { delayMs: 3_000 });
  api.label(secrets, ref('s'), { [pinLabel(ring)]: 'b' });
  await world.until('the ConfigMap to be handed over', () => world.childShard('s-sums') === 'b');
  assert.deepEqual(world.pairOf(), { owner: 'a', child: 'b', drain: 'b' });
  // The sharder's own look for what was left behind takes long.
  world.hit('k1', 'list', 'configmaps', { times: Infinity, delayMs: 4_900 });
}

const cordon = (world: ModelWorld, name: string, cordoned: boolean): void =>
  world.edit(name, 'default', ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [cordonedAnnotation]: String(cordoned) };
  });

test('a move that is taken back brings the controlled objects back before the owner is worked on', async () => {
  const world = new ModelWorld();
  await halfHandedOver(world, 'a', 'b');
  world.processes.get('b')?.end();
  await world.until('the new target', () => world.drainOf('s') !== 'b', 2_000);
  await world.until('the end of the move', () => world.drainOf('s') === undefined, 10_000);
  await world.clock.advance(5_000);
  assert.deepEqual(world.rules.of('exclusion', 'order', 'let-go', 'sees-own'), []);
  assert.deepEqual(world.pairOf(), { owner: 'a', child: 'a', drain: undefined });
  assert.deepEqual(world.rules.history, ['a#1: configmaps/s-sums a>b', 'a#1: configmaps/s-sums b>a']);
  // Worked on again.
  const begun = world.rules.begun.length;
  world.api.label(secrets, ref('s'), { touched: 'true' });
  await world.clock.advance(1_000);
  assert(world.rules.begun.length > begun);
});

test('a move to another target takes the controlled objects along that are on the first one already', async () => {
  const world = new ModelWorld();
  world.process('c');
  await world.clock.advance(1_000);
  cordon(world, 'c', true);
  await halfHandedOver(world, 'a', 'b');
  cordon(world, 'a', true);
  cordon(world, 'c', false);
  await world.clock.advance(50);
  world.processes.get('b')?.end();
  await world.until('the new target', () => world.drainOf('s') === 'c', 2_000);
  await world.until('the end of the move', () => world.drainOf('s') === undefined, 10_000);
  await world.clock.advance(5_000);
  assert.deepEqual(world.rules.of('exclusion', 'order', 'let-go', 'sees-own'), []);
  assert.deepEqual(world.pairOf(), { owner: 'c', child: 'c', drain: undefined });
});
