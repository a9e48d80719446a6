import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RollingWorld, type UpdateFigures } from '../rolling/rolling-world.ts';

const websites = 1_000;
/** How long a change may wait for its shard. */
const longestMs = 3_000;

const surge = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
const unavailable = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };

test('rolling updates of three replicas, with 1,000 Websites that are changed all the time', {
  timeout: 400_000,
}, async (t) => {
  const world = await RollingWorld.start(t, websites);
  const told = (what: string, figures: UpdateFigures): void =>
    t.diagnostic(`${what}: ${JSON.stringify(figures)}`);
  let failed = 0;
  const step = (name: string, act: () => Promise<void>): Promise<void> =>
    t.test(name, async () => {
      failed += 1;
      await act();
      failed -= 1;
    });
  const movesNothing = (figures: UpdateFigures): void => {
    assert.equal(figures.labelWrites, 0);
    assert(figures.changes > 100);
    assert(figures.longestMs <= longestMs, `a change waited ${figures.longestMs} ms`);
  };

  const deployment = await world.run('Deployment', 'slots', surge);
  await step('a Deployment in slots, with a pod more meanwhile, moves nothing', async () => {
    const figures = await world.measure(() => deployment.restart());
    told('Deployment, slots, maxSurge 1', figures);
    movesNothing(figures);
  });
  await step('a Deployment in slots, with a pod less meanwhile, moves nothing', async () => {
    const figures = await world.measure(() => deployment.restart(unavailable));
    told('Deployment, slots, maxUnavailable 1', figures);
    movesNothing(figures);
  });
  await deployment.delete();

  const statefulSet = await world.run('StatefulSet', 'slots', { type: 'RollingUpdate' });
  await step('a StatefulSet, whose pods come back by their names, moves nothing', async () => {
    const figures = await world.measure(() => statefulSet.restart());
    told('StatefulSet, slots', figures);
    movesNothing(figures);
  });
  await statefulSet.delete();

  const random = await world.run('Deployment', 'random', surge);
  await step('for comparison: with the names of pods, an update moves what it touches', async () => {
    const figures = await world.measure(() => random.restart());
    told('Deployment, random names, maxSurge 1', figures);
    assert(figures.labelWrites > websites);
  });

  await step('no Website was worked on by two processes at the same time', async () => {
    const { works, found } = await world.overlaps();
    assert.deepEqual(found, []);
    assert(works > websites);
  });
  if (failed === 0) world.succeeded();
});
