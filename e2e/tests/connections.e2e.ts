import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { secretNamed } from '../main-job/cluster/objects.ts';
import { TestRing } from './test-ring.ts';

test('after warm-up no request opens a new TLS connection', { timeout: 120_000 }, async (t) => {
  const ring = await TestRing.start(t, { replicas: 1, secrets: 10, webhook: true });
  const { client, transport, namespace } = ring;
  /** Ten at a time: reads, lists, creations, patches and deletions. */
  const requests = async (round: string): Promise<void> => {
    await Promise.all(
      Array.from({ length: 10 }, async (_, worker) => {
        const ref = { namespace, name: `${round}-${worker}` };
        await client.create(secrets, secretNamed(namespace, ref.name));
        await client.getMetadata(secrets, ref);
        await client.patch(secrets, ref, { type: 'merge', body: { stringData: { user: 'another' } } });
        await client.listPage(configMaps, 'metadata', { namespace, limit: 5 });
        await client.listPage(leases, 'full', { namespace });
        await client.delete(secrets, ref);
      }),
    );
  };
  await requests('warm-up');
  const before = transport.connectionsOpened;
  assert.ok(before > 0);
  for (let round = 0; round < 5; round += 1) await requests(`round-${round}`);
  assert.equal(transport.connectionsOpened, before);
  t.diagnostic(`300 requests over ${before} connections`);
});
