import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { controllerRings, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { ringLabel, stateLabel } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { labelOf, TestRing } from './test-ring.ts';

interface Ended {
  code: number | string | null | undefined;
  errors: string;
}

/** Runs a program of the repository to its end. */
const run = (program: string, ...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 90_000 }, (error, _output, errors) => {
      resolve({ code: error?.code ?? 0, errors });
    });
  });

/** Says what is wrong in a line or two, and no stack. */
function assertTold({ code, errors }: Ended, expectedCode: number, what: RegExp): void {
  assert.equal(code, expectedCode, errors);
  assert.match(errors, what);
  assert.ok(errors.trim().split('\n').length <= 2, errors);
  assert.doesNotMatch(errors, /^\s+at /m);
}

const off = ['--health-address=0', '--metrics-address=0'];

for (const [program, ...command] of [
  ['sharder/cli/main.ts', 'run'],
  ['operator/checksum/main.ts'],
] as const) {
  const [path] = [program];
  test(`${path}: an unknown flag is wrong usage`, async () => {
    assertTold(await run(path, ...command, '--such-flag'), 2, /such-flag/);
  });

  test(`${path}: a kubeconfig that isn't there is named`, async () => {
    assertTold(await run(path, ...command, ...off, '--kubeconfig=/no/such/file'), 1, /\/no\/such\/file/);
  });

  test(`${path}: a busy port is named`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const busy = `--health-address=127.0.0.1:${address.port}`;
    const kubeconfig = `--kubeconfig=${new URL('./unreachable.kubeconfig', import.meta.url).pathname}`;
    const ended = await run(path, ...command, kubeconfig, busy, '--metrics-address=0');
    assertTold(ended, 1, new RegExp(`127\\.0\\.0\\.1:${address.port}: address already in use`));
  });
}

test('a shard name that can’t be a label value is refused', async () => {
  assertTold(
    await run('operator/checksum/main.ts', '--shard-name', 'x'.repeat(64)),
    2,
    /64 characters: at most 63/,
  );
});

test('hostile objects and configurations get an answer, and nothing else stops', {
  timeout: 120_000,
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: 10, webhook: true });
  const { client, namespace, controlPlane } = ring;
  const ready = async (name: string): Promise<string | undefined> => {
    const { status } = await client.get<ControllerRing>(controllerRings, { name });
    const condition = status?.conditions?.find(({ type }) => type === 'Ready');
    return condition && `${condition.status} ${condition.reason}: ${condition.message}`;
  };
  assert.match((await ready(ringName)) ?? '', /^True /);

  await t.test('a resource that isn’t served is named, and the others are sharded', async () => {
    const patch = {
      op: 'add' as const,
      path: '/spec/resources/-',
      value: { group: 'example.com', resource: 'gizmos' },
    };
    await client.patch(controllerRings, { name: ringName }, { type: 'json', operations: [patch] });
    await waitFor('the message', async () =>
      /^False .*gizmos\.example\.com/.test((await ready(ringName)) ?? ''),
    );
    assert.match(labelOf(await client.create(secrets, secretNamed(namespace, 'during'))) ?? '', /^checksum-/);
    const remove = { op: 'remove' as const, path: '/spec/resources/1' };
    await client.patch(controllerRings, { name: ringName }, { type: 'json', operations: [remove] });
    await waitFor('Ready', async () => (await ready(ringName))?.startsWith('True '));
  });

  await t.test('a ring without shards says so', async () => {
    await client.create<ControllerRing>(controllerRings, {
      apiVersion: controllerRingApiVersion,
      kind: 'ControllerRing',
      metadata: { name: 'nobody' },
      spec: { resources: [{ group: '', resource: 'pods' }] },
    });
    await waitFor('the message', async () => (await ready('nobody'))?.startsWith('False NoShard'));
    await client.delete(controllerRings, { name: 'nobody' });
  });

  await t.test('Leases that are no shards get no objects', async () => {
    const lease = (name: string, ringOfLease: string, holder: string): string => `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: ${name}, namespace: ${namespace}, labels: {${ringLabel}: ${ringOfLease}}}
spec: {holderIdentity: ${holder}, leaseDurationSeconds: 15}
`;
    const strange = [
      lease('l'.repeat(64), ringName, 'l'.repeat(64)),
      lease('held-by-another', ringName, 'somebody'),
      lease('of-no-ring', 'no-such-ring', 'of-no-ring'),
    ];
    await controlPlane.kubectl(['apply', '-f', '-'], { input: strange.join('---') });
    await waitFor('the state of the Lease', async () => {
      const { metadata } = await client.getMetadata(leases, { namespace, name: 'held-by-another' });
      return metadata.labels?.[stateLabel] === 'expired';
    });
    for (let i = 0; i < 10; i += 1) {
      const created = await client.create(secrets, secretNamed(namespace, `strange-${i}`));
      assert.match(labelOf(created) ?? '', /^checksum-/);
    }
  });

  await t.test(
    'an object with a label of no shard is moved to one when a Lease duration has passed',
    async () => {
      const { metadata } = secretNamed(namespace, 'stray');
      const stray = { ...secretNamed(namespace, 'stray'), metadata: { ...metadata, labels: strayLabels } };
      await client.create(secrets, stray);
      // What names no Lease is looked for after each change of the membership.
      await ring.job.fleet.addReplica();
      await waitFor(
        'a live shard',
        async () =>
          labelOf(await client.getMetadata(secrets, { namespace, name: 'stray' }))?.startsWith('checksum-'),
        { timeoutMs: 40_000 },
      );
    },
  );
});

const strayLabels = { [`shard.alpha.sharding.timebertt.dev/${ringName}`]: 'no-such-shard' };
