import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
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

/**
 * Ports from which this machine has, or in the last minute had, a connection to that port; the machine's, since a
 * connection that ended doesn't tell whose it was.
 */
async function connectionsTo(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const [, ...lines] = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n');
  const ends = lines.map((line) => line.trim().split(/\s+/).slice(1, 3));
  // A connection that the server closed is remembered by the server's end alone.
  return new Set(
    ends.flatMap(([local = '', remote = '']) => {
      if (remote.endsWith(suffix)) return [local];
      return local.endsWith(suffix) ? [remote] : [];
    }),
  );
}

/** More requests at once than ever before need as many more connections; one for each request would be hundreds. */
const mostNew = 5;

test('sharders and shards go on with the connections they have', {
  timeout: 120_000,
  skip: process.platform !== 'linux',
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 100, webhook: true });
  await ring.play({ moves: 'any', withinMs: 20_000, act: () => ring.createSecrets(100) });
  const port = Number(new URL(ring.controlPlane.url).port);
  const before = await connectionsTo(port);
  assert.ok(before.size > 5);
  await ring.play({
    moves: 'any',
    withinMs: 20_000,
    act: async () => {
      for (let round = 0; round < 10; round++) await ring.createSecrets(10);
    },
  });
  const after = await connectionsTo(port);
  t.diagnostic(`${before.size} connections before, ${after.size} afterwards`);
  const opened = [...after.difference(before)];
  assert.ok(opened.length <= mostNew, `new: ${opened.join(', ')}`);
});
