import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { waitFor } from '../harness/wait-for.ts';
import { machineMs } from '../main-job/observer/events.ts';
import { TestRing } from './test-ring.ts';

const awayMs = 30_000;
/** By then every Lease would have run out that isn't renewed again: 1.2 × 15 s, and some for each side's clock. */
const consequencesMs = 25_000;

/** The resourceVersion of every Secret and ConfigMap, by uid: any write changes it, however short its effect. */
async function versions({ client, namespace }: TestRing): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const resource of [secrets, configMaps]) {
    for await (const { items } of client.list(resource, 'metadata', { namespace })) {
      for (const { metadata } of items) found.set(metadata.uid ?? '', metadata.resourceVersion ?? '');
    }
  }
  return found;
}

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
    const before = await versions(ring);
    const leader = observer.world.leader;
    let backAt = 0;

    await ring.play({
      moves: 'nothing',
      withinMs: awayMs + 60_000,
      act: async () => {
        await apiServer[away]();
        await clock.sleep(awayMs);
        await apiServer[back]();
        backAt = machineMs();
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

    await t.test('no label was written because of it', async () => {
      await ring.quiet(Math.max(1_000, backAt + consequencesMs - machineMs()));
      const now = await versions(ring);
      assert.deepEqual(
        [...before].filter(([uid, version]) => now.get(uid) !== version),
        [],
      );
    });
    await t.test('new objects are served again', async () => {
      const tookMs = await ring.play({ moves: 'any', withinMs: 60_000, act: () => ring.createSecrets(20) });
      t.diagnostic(`at rest ${Math.round(tookMs)} ms after the outage`);
    });
  });
}
