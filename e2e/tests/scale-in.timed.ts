import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RollingWorld } from '../rolling/rolling-world.ts';

const websites = 300;
/** How long a change may wait for the shard that gets the Website: the Lease is released, it needn't run out first. */
const longestMs = 12_000;
const slot = (number: number): string => `webhosting-operator-${number}`;

test('a Deployment in slots that is scaled in loses its highest slots, and each one in order', {
  timeout: 240_000,
}, async (t) => {
  const world = await RollingWorld.start(t, websites);
  const deployment = await world.run('Deployment', 'slots', { type: 'RollingUpdate' });
  assert.deepEqual(await world.heldSlots(), [slot(0), slot(1), slot(2)]);

  for (const replicas of [2, 1]) {
    const figures = await world.measure(() => deployment.scale(replicas));
    await world.atRest(replicas);
    t.diagnostic(`${replicas + 1} replicas to ${replicas}: ${JSON.stringify(figures)}`);
    assert.deepEqual(await world.heldSlots(), [slot(0), slot(1)].slice(0, replicas));
    assert(figures.longestMs <= longestMs, `a change waited ${figures.longestMs} ms`);
  }
  await deployment.scale(3);
  await world.atRest();
  assert.deepEqual(await world.heldSlots(), [slot(0), slot(1), slot(2)]);
  const { works, found } = await world.overlaps();
  assert.deepEqual(found, []);
  assert(works > websites);
  world.succeeded();
});
