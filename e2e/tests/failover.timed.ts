import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { machineMs } from '../main-job/observer/events.ts';
import { TestRing } from './test-ring.ts';

const secretCount = 300;
/** 1.2 × 15 s since the last renewal that was seen, and one second for the takeover and the first patch. */
const detectionMs = 19_000;

interface Moved {
  objects: number;
  firstMs: number;
  lastMs: number;
}

/** When the objects of a shard are seen to leave it, from `since` (machine's ms) on; ends when none is on it. */
async function watchMoves(ring: TestRing, shard: string, since: number, withinMs: number): Promise<Moved> {
  const left = new Set([...ring.assignments()].filter(([, name]) => name === shard).map(([uid]) => uid));
  const moved: Moved = { objects: left.size, firstMs: Infinity, lastMs: 0 };
  while (left.size > 0 && machineMs() - since < withinMs) {
    await clock.sleep(20);
    const now = ring.assignments();
    for (const uid of left) {
      if (now.get(uid) === shard) continue;
      left.delete(uid);
      moved.lastMs = machineMs() - since;
      moved.firstMs = Math.min(moved.firstMs, moved.lastMs);
    }
  }
  assert.equal(left.size, 0, `${left.size} objects are still on ${shard} after ${withinMs} ms`);
  return moved;
}

test('the objects of a killed replica are moved as soon as its Lease has run out', {
  timeout: 240_000,
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 4, secrets: secretCount, webhook: true });
  const { fleet, observer } = ring.job;

  for (const [what, killLeader] of [
    ['alone', false],
    ['and the leading sharder with it', true],
  ] as const) {
    await t.test(`killed ${what}`, async () => {
      const [name = ''] = fleet.replicas;
      const { leader } = observer.world;
      let moves: Moved | undefined;
      await ring.play({
        moves: 'needed',
        withinMs: 60_000,
        act: async () => {
          const since = machineMs();
          const watching = watchMoves(ring, name, since, 45_000);
          await Promise.all([fleet.killReplica(name), killLeader && fleet.killLeader(leader)]);
          moves = await watching;
        },
      });
      assert.ok(moves);
      const { objects, firstMs, lastMs } = moves;
      const movingMs = lastMs - firstMs;
      t.diagnostic(
        `killed ${what}: ${objects} objects, the first after ${Math.round(firstMs)} ms, the last ${Math.round(movingMs)} ms later`,
      );
      assert.ok(objects > secretCount / 8, `${objects} objects`);
      assert.ok(firstMs <= detectionMs, `${firstMs} ms`);
      assert.equal(observer.world.leader === leader, !killLeader);
    });
    await fleet.addReplica();
    await ring.play({ moves: 'needed', withinMs: 30_000, act: () => ring.createSecrets(1) });
  }
});
