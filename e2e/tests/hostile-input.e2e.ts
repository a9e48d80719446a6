import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import { configMaps, controllerRings, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import {
  drainLabel,
  ringLabel,
  shardLabel,
  stateLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { assertTold, busyAddress, run } from './programs.ts';
import { drainOf, labelOf, TestRing } from './test-ring.ts';

/** A ring's condition in one line. */
const readyOf = ({ status }: ControllerRing): string => {
  const condition = status?.conditions?.find(({ type }) => type === 'Ready');
  return condition === undefined ? '' : `${condition.status} ${condition.reason}: ${condition.message}`;
};

const leaseNamed = (name: string, namespace: string, ring: string, holder: string): string => `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: ${name}, namespace: ${namespace}, labels: {${ringLabel}: ${ring}}}
spec: {holderIdentity: ${holder}, leaseDurationSeconds: 15}
`;

test('labels, Leases and rings that nobody should write harm nothing else', {
  timeout: 180_000,
}, async (t) => {
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

  await t.test('a sharder whose webhook port is in use says so', async (port) => {
    const busy = await busyAddress(port);
    const ended = await run(
      'sharder/cli/main.ts',
      'run',
      `--kubeconfig=${controlPlane.kubeconfigPath}`,
      '--health-address=0',
      '--metrics-address=0',
      `--webhook-address=${busy}`,
      `--webhook-url=https://${busy}`,
    );
    assertTold(ended, 1, new RegExp(`^sharder: cannot listen on ${busy}: address already in use`));
  });

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

  await t.test('Leases that are no shards get no objects', async () => {
    const strange = [
      leaseNamed('l'.repeat(64), namespace, ringName, 'l'.repeat(64)),
      leaseNamed('held-by-another', namespace, ringName, 'somebody'),
      leaseNamed('of-no-ring', namespace, 'no-such-ring', 'of-no-ring'),
    ];
    await controlPlane.kubectl(['apply', '-f', '-'], { input: strange.join('---') });
    await waitFor('the state of the Lease', async () => {
      const { metadata } = await client.getMetadata(leases, { namespace, name: 'held-by-another' });
      return metadata.labels?.[stateLabel] === 'expired';
    });
    for (let i = 0; i < 10; i += 1) assert.match((await create(`strange-${i}`)) ?? '', /^checksum-/);
  });

  /** Waits until the ring's condition is as it should be. */
  const ready = (name: string, expected: RegExp): Promise<string | undefined> =>
    waitFor(`the condition of the ring ${name}`, async () => {
      const found = readyOf(await client.get<ControllerRing>(controllerRings, { name }));
      return expected.test(found) && found;
    });
  const createRing = (name: string, spec: Partial<ControllerRing['spec']>): Promise<unknown> =>
    client.create<ControllerRing>(controllerRings, {
      apiVersion: controllerRingApiVersion,
      kind: 'ControllerRing',
      metadata: { name },
      spec: { resources: [{ group: '', resource: 'pods' }], ...spec },
    });

  await t.test('a resource that isn’t served is named, and the others are sharded', async () => {
    const patch = (operation: JsonPatchOperation): Promise<unknown> =>
      client.patch(controllerRings, { name: ringName }, { type: 'json', operations: [operation] });
    await ready(ringName, /^True /);
    await patch({
      op: 'add',
      path: '/spec/resources/-',
      value: { group: 'example.com', resource: 'gizmos' },
    });
    await ready(ringName, /^False .*gizmos\.example\.com/);
    assert.match((await create('during')) ?? '', /^checksum-/);
    await settled('during');
    await patch({ op: 'remove', path: '/spec/resources/1' });
    await ready(ringName, /^True /);
  });

  await t.test('a ring without shards says so', async () => {
    await createRing('nobody', {});
    await ready('nobody', /^False NoShard/);
    await client.delete(controllerRings, { name: 'nobody' });
  });

  await t.test('a ring with a selector that makes no sense says so, and the others go on', async () => {
    const selector = { matchExpressions: [{ key: 'a', operator: 'In' as const, values: [] }] };
    await createRing('senseless', { namespaceSelector: selector });
    await ready('senseless', /^False Failed: .*namespaceSelector/);
    assert.match((await create('meanwhile')) ?? '', /^checksum-/);
    await settled('meanwhile');
    await client.delete(controllerRings, { name: 'senseless' });
  });
});
