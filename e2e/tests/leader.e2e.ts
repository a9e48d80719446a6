import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets } from '@controller-sharding/shared/kube/resources.ts';
import { waitFor } from '../harness/wait-for.ts';
import { secretNamed } from '../main-job/cluster/objects.ts';
import { machineMs } from '../main-job/observer/events.ts';
import { labelOf, TestRing } from './test-ring.ts';

/** The old leader's Lease has to run out first. */
const electionMs = 20_000;

test('after the leading sharder was killed, new objects have their label at once, or from the next leader', {
  timeout: 120_000,
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 20, webhook: true });
  const { client, namespace } = ring;
  const { fleet, observer } = ring.job;
  const leader = observer.world.leader;
  await ring.play({
    moves: 'needed', // so few objects, placed by hash, may have to be levelled
    withinMs: 2 * electionMs,
    act: async () => {
      await fleet.killLeader(leader);
      const killedAt = machineMs();
      // The API server finds out by a call that fails that its connection went to the one which is gone.
      let probes = 0;
      await waitFor(
        'the standby to answer the webhook',
        async () => labelOf(await client.create(secrets, secretNamed(namespace, `probe-${probes++}`))),
        { timeoutMs: 2_000, everyMs: 10 },
      );
      for (let i = 0; i < 20; i++) {
        const created = await client.create(secrets, secretNamed(namespace, `named-${i}`));
        assert.match(labelOf(created) ?? 'no label', /^checksum-/, created.metadata.name);
      }
      // Left to the watch, which only the leader has: as every object where there is no webhook.
      const generated = {
        ...secretNamed(namespace, ''),
        metadata: { namespace, name: '', generateName: 'generated-' },
      };
      const { metadata } = await client.create(secrets, generated);
      const ref = { namespace, name: metadata.name };
      await waitFor('its label', async () => labelOf(await client.getMetadata(secrets, ref)), {
        timeoutMs: electionMs,
      });
      t.diagnostic(`labelled ${Math.round(machineMs() - killedAt)} ms after the leader was killed`);
      assert.notEqual(observer.world.leader, leader);
    },
  });
});
