import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { movedBetween, TestRing } from './test-ring.ts';

const secretCount = 120;

test('objects follow the replicas that there are', { timeout: 300_000 }, async (t) => {
  const ring = await TestRing.start(t, { replicas: 3, secrets: secretCount, webhook: true });
  const { fleet, observer } = ring.job;

  /** Plays a step; returns the objects that moved and where they were before. */
  const moved = async (moves: 'needed' | 'nothing', withinMs: number, act: () => Promise<void>) => {
    const before = ring.assignments();
    const tookMs = await ring.play({ moves, withinMs, act });
    const uids = movedBetween(before, ring.assignments());
    t.diagnostic(`${Math.round(tookMs)} ms, ${uids.length} objects moved`);
    return { tookMs, from: uids.map((uid) => before.get(uid)) };
  };

  await t.test('a fourth replica gets its share, and nothing else moves', async () => {
    const { from } = await moved('needed', 20_000, async () => void (await fleet.addReplica()));
    // Secrets and ConfigMaps; more only if another shard, too, was below its share.
    assert.ok(from.length >= 2 * (secretCount / 4 - 1), `${from.length} objects moved`);
  });

  await t.test('afterwards nothing is written', () => ring.quiet(5_000));

  await t.test('two replicas that stop give all they have to the other two, at once', async () => {
    const [first = '', second = ''] = fleet.replicas;
    const { tookMs } = await moved('needed', 15_000, async () => {
      await Promise.all([fleet.stopReplica(first), fleet.stopReplica(second)]);
    });
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    assert.equal(fleet.replicas.length, 2);
  });

  await t.test('a replica that crashes and is restarted under its name keeps its objects', async () => {
    const [name = ''] = fleet.replicas;
    const { from } = await moved('nothing', 20_000, async () => {
      await fleet.crashReplica(name);
      await waitFor('its restart', () => fleet.restarts.some((restart) => restart.startsWith(`${name} `)));
    });
    assert.deepEqual(from, []);
    await ring.play({ moves: 'any', withinMs: 20_000, act: () => ring.createSecrets(20) });
  });

  await t.test('when the leading sharder is killed nothing moves, and another one goes on', async () => {
    const leader = observer.world.leader;
    await moved('nothing', 40_000, async () => {
      await fleet.killLeader(leader);
      await waitFor('another leader', () => ![leader, ''].includes(observer.world.leader), {
        timeoutMs: 30_000,
      });
    });
    await ring.play({ moves: 'any', withinMs: 20_000, act: () => ring.createSecrets(20) });
  });

  await t.test('the objects of a replica that is killed move when its Lease has run out', async () => {
    const [name = ''] = fleet.replicas;
    const { tookMs, from } = await moved('needed', 25_000, () => fleet.killReplica(name));
    assert.deepEqual(new Set(from), new Set([name]));
    assert.ok(tookMs > 10_000 && tookMs < 20_000, `${tookMs} ms`);
  });
});
