import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FreezeFigures, FrozenWorld } from '../frozen/frozen-world.ts';

const shards = 20;

test('20 busy shards are frozen for 40 s at once, with requests under way', {
  timeout: 280_000,
}, async (t) => {
  const world = await FrozenWorld.start(t, shards);
  const told = (what: string, figures: FreezeFigures): void =>
    t.diagnostic(`${what}: ${JSON.stringify(figures)}`);
  /** They were busy, had requests under way, and lost their objects. */
  const wasHard = ({ before, meanwhile, moved }: FreezeFigures): void => {
    assert(before >= shards * 5, `${before} writes before`);
    assert(meanwhile >= shards, `${meanwhile} requests under way`);
    assert(moved >= shards, `${moved} objects moved`);
  };

  await t.test('fenced: not one of them writes anything when it wakes, and each one ends', async () => {
    const figures = await world.freeze(shards, 'fenced');
    told('fenced', figures);
    wasHard(figures);
    assert.equal(figures.afterwards, 0);
    assert.deepEqual(new Set(figures.ends), new Set([1]));
  });

  await t.test('without the fence they do write', async () => {
    const figures = await world.freeze(shards, 'unfenced');
    told('unfenced', figures);
    wasHard(figures);
    assert(figures.afterwards > 0);
  });
});
