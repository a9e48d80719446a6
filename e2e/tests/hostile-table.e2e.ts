/** What users do that nobody should: what follows, and that it harms nobody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from '@controller-sharding/shared/kube/errors.ts';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { labelRows, unlabellingRows } from './hostile-labels.ts';
import { crowdRows, leaseRows } from './hostile-leases.ts';
import { objectRows } from './hostile-objects.ts';
import { policyRows } from './hostile-policies.ts';
import { reviewRows } from './hostile-reviews.ts';
import { ringRows, webhookRows } from './hostile-rings.ts';
import { type HostileRow, HostileWorld } from './hostile-world.ts';
import { TestRing } from './test-ring.ts';

/** All rows of one batch at the same time. */
const batches: HostileRow[][] = [
  unlabellingRows,
  [...labelRows, ...leaseRows, ...objectRows, ...ringRows, ...reviewRows, ...policyRows],
  // Meanwhile no webhook answers.
  [...webhookRows, ...crowdRows],
];
const rowCount = batches.flat().length;

async function play(row: HostileRow, world: HostileWorld): Promise<void> {
  if (row.refused) await assert.rejects(row.act(world), row.refused);
  else await row.act(world);
  await row.follows?.(world);
}

/** Creates a Secret and updates it, again and again, until the signal is aborted; what failed, and how many there are. */
async function ordinaryUser(
  world: HostileWorld,
  signal: AbortSignal,
): Promise<{ names: string[]; failed: string[] }> {
  const names: string[] = [];
  const failed: string[] = [];
  while (!signal.aborted) {
    const name = `ordinary-${names.length}`;
    try {
      await world.secret(name);
      names.push(name);
      const body = { metadata: { annotations: { touched: 'true' } } };
      await world.client.patchMetadata(secrets, world.ref(name), { type: 'merge', body });
    } catch (error) {
      failed.push(messageOf(error));
    }
    await clock.sleep(100);
  }
  return { names, failed };
}

test('whatever is done by hand harms nobody else', {
  timeout: 240_000,
  concurrency: rowCount,
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 20, webhook: true });
  const world = new HostileWorld(ring);
  const over = new AbortController();
  const ordinary = ordinaryUser(world, over.signal);
  const began = performance.now();
  t.diagnostic(`${rowCount} rows`);
  for (const rows of batches) {
    await Promise.all(rows.map((row) => t.test(row.what, () => play(row, world))));
  }
  over.abort();
  const { names, failed } = await ordinary;
  t.diagnostic(`${names.length} ordinary Secrets, ${Math.round(performance.now() - began)} ms`);

  await t.test('meanwhile, no ordinary create or update failed, and each object is served', async () => {
    assert.deepEqual(failed, []);
    assert(names.length > 20);
    for (const name of names) await world.settled(name);
  });
  await t.test('no process ended by itself', () => assert.deepEqual(ring.job.fleet.restarts, []));
});
