import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { configMaps, controllerRings, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { drainOf, labelOf, TestRing } from './test-ring.ts';

test('labels and rings that nobody should write harm nothing else', { timeout: 180_000 }, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 20, webhook: true });
  const { client, namespace, controlPlane } = ring;

  const create = async (name: string, labels: Record<string, string> = {}): Promise<string | undefined> => {
    const secret = secretNamed(namespace, name);
    return labelOf(await client.create(secrets, { ...secret, metadata: { ...secret.metadata, labels } }));
  };
  const drainTo = (name: string, to: string): Promise<unknown> =>
    client.patchMetadata(
      secrets,
      { namespace, name },
      { type: 'merge', body: { metadata: { labels: { [drainLabel(ringName)]: to } } } },
    );
  /** Waits until the Secret is on a live shard, its ConfigMap too, and nobody is asked to give it away. */
  const settled = (name: string, timeoutMs = 10_000): Promise<string> =>
    waitFor(
      `${name} to settle`,
      async () => {
        const secret = await client.getMetadata(secrets, { namespace, name });
        const { items } = await client.listPage(configMaps, 'metadata', {
          namespace,
          labelSelector: `secret=${name}`,
        });
        const shard = labelOf(secret);
        const live = ring.job.fleet.replicas.includes(shard ?? '');
        const together = items.length === 1 && items.every((item) => labelOf(item) === shard);
        return live && together && drainOf(secret) === undefined && shard;
      },
      { timeoutMs },
    );

  await t.test('a drain by hand moves the object with its ConfigMap', async () => {
    const from = await create('by-hand');
    await settled('by-hand');
    const to = ring.job.fleet.replicas.find((name) => name !== from) ?? '';
    await drainTo('by-hand', to);
    assert.equal(await waitFor('the move', async () => (await settled('by-hand')) === to && to), to);
  });

  await t.test(
    'a drain towards nobody ends on a live shard, as long as the object belongs to the ring',
    async () => {
      await create('to-nobody');
      await settled('to-nobody');
      await drainTo('to-nobody', '');
      await settled('to-nobody');
    },
  );

  await t.test('objects of shards that never were get one when a Lease duration has passed', async () => {
    await create('empty', { [shardLabel(ringName)]: '' });
    await create('to-none');
    await settled('to-none');
    await drainTo('to-none', 'no-such-shard');
    // They are looked for after each change of the membership, else every five minutes.
    await ring.job.fleet.addReplica();
    await Promise.all(['empty', 'to-none'].map((name) => settled(name, 40_000)));
  });

  await t.test('names that JavaScript knows are names like others', async () => {
    await create('constructor', { constructor: 'a', hasOwnProperty: 'b', toString: 'c' });
    await settled('constructor');
    const { metadata } = await client.getMetadata(configMaps, { namespace, name: 'checksums-constructor' });
    assert.equal(metadata.labels?.['constructor'], 'a');
  });

  await t.test('a ring with a selector that makes no sense says so, and the others go on', async () => {
    await client.create<ControllerRing>(controllerRings, {
      apiVersion: controllerRingApiVersion,
      kind: 'ControllerRing',
      metadata: { name: 'senseless' },
      spec: {
        resources: [{ group: '', resource: 'pods' }],
        namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: [] }] },
      },
    });
    const message = await waitFor('its status', async () => {
      const { status } = await client.get<ControllerRing>(controllerRings, { name: 'senseless' });
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.status === 'False' && ready.message;
    });
    t.diagnostic(message);
    assert.match((await create('meanwhile')) ?? 'no label', /^checksum-/);
    await settled('meanwhile');
    await client.delete(controllerRings, { name: 'senseless' });
  });

  await t.test('a sharder whose webhook port is in use says so in one line', async (port) => {
    const server = createServer().listen(0, '127.0.0.1');
    port.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const args = [
      'sharder/cli/main.ts',
      'run',
      `--kubeconfig=${controlPlane.kubeconfigPath}`,
      '--health-address=0',
      '--metrics-address=0',
      `--webhook-address=127.0.0.1:${address.port}`,
      `--webhook-url=https://127.0.0.1:${address.port}`,
    ];
    const { code, errors } = await new Promise<{ code: unknown; errors: string }>((resolve) => {
      execFile(process.execPath, args, { timeout: 30_000 }, (error, _output, text) =>
        resolve({ code: error?.code, errors: text }),
      );
    });
    assert.equal(code, 1, errors);
    assert.match(errors, /^sharder: cannot listen on 127\.0\.0\.1:\d+: address already in use\n$/);
  });
});
