import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { waitFor } from '../harness/wait-for.ts';
import { movedBetween, TestRing } from './test-ring.ts';

const awayMs = 30_000;

for (const [what, away, back] of [
  ['away', 'stop', 'start'],
  ['frozen', 'pause', 'resume'],
] as const) {
  test(`an API server that is ${what} for 30 s moves nothing, and everything recovers by itself`, {
    timeout: 240_000,
  }, async (t) => {
    const ring = await TestRing.start(t, { replicas: 3, secrets: 60, webhook: true });
    const { apiServer } = ring.controlPlane;
    const { fleet, observer } = ring.job;
    await ring.quiet(1_000);
    const before = ring.assignments();
    const leader = observer.world.leader;

    await ring.play({
      moves: 'nothing',
      withinMs: awayMs + 60_000,
      act: async () => {
        await apiServer[away]();
        await clock.sleep(awayMs);
        await apiServer[back]();
        // A last renewal that the frozen server had received counts from now on.
        await waitFor('another leader', () => ![leader, ''].includes(observer.world.leader), {
          timeoutMs: 30_000,
        });
      },
    });
    // No replica may have gone on with a Lease that it could not renew.
    assert.equal(
      fleet.restarts.filter((name) => name.startsWith('checksum-')).length,
      3,
      String(fleet.restarts),
    );

    await t.test('new objects are served again', async () => {
      const tookMs = await ring.play({ moves: 'any', withinMs: 60_000, act: () => ring.createSecrets(20) });
      t.diagnostic(`at rest ${Math.round(tookMs)} ms after the outage`);
    });
    await t.test('no label was written because of it', async () => {
      await ring.quiet(20_000);
      assert.deepEqual(movedBetween(before, ring.assignments()), []);
    });
  });
}
