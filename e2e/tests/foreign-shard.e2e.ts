import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import {
  drainLabel,
  ringLabel,
  shardLabel,
  stateLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ringName } from '../main-job/cluster/objects.ts';
import { drainOf, labelOf, TestRing } from './test-ring.ts';

const name = 'foreign';
const secretCount = 60;

/** A shard that knows nothing of this project: kubectl in a shell loop renews its Lease. */
const renew = `
while sleep 1; do
  "$KUBECTL" -n "$NAMESPACE" patch lease ${name} --type=merge -p "{\\"spec\\":{\\"renewTime\\":\\"$(date -u +%Y-%m-%dT%H:%M:%S).000000Z\\"}}" >/dev/null
done`;

/** Answers a drain as the contract's first form does: both labels removed in one patch. */
const acknowledge = `
SHARD=${shardLabel(ringName)}
DRAIN=${drainLabel(ringName)}
while sleep 0.2; do
  for object in $("$KUBECTL" -n "$NAMESPACE" get secrets -l "$DRAIN,$SHARD=${name}" -o name); do
    "$KUBECTL" -n "$NAMESPACE" label "$object" "$SHARD-" "$DRAIN-" >/dev/null
  done
done`;

const lease = (namespace: string): string => `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: {${ringLabel}: ${ringName}}
spec:
  holderIdentity: ${name}
  leaseDurationSeconds: 15
  renewTime: "${new Date().toISOString().slice(0, -1)}000Z"
`;

test('a shard of shell and kubectl joins the ring, gives objects back, and leaves', {
  timeout: 240_000,
}, async (t) => {
  const ring = await TestRing.start(t, { replicas: 2, secrets: secretCount, webhook: true });
  const { namespace, client, controlPlane } = ring;
  const { kubectl: program } = await ensureBinaries(['kubectl']);
  const loops: ChildProcess[] = [];
  const start = (script: string): ChildProcess => {
    const env = {
      ...process.env,
      KUBECTL: program,
      KUBECONFIG: controlPlane.kubeconfigPath,
      NAMESPACE: namespace,
    };
    const loop = spawn('sh', ['-c', script], { env, stdio: ['ignore', 'inherit', 'inherit'] });
    loops.push(loop);
    return loop;
  };
  const end = async (loop: ChildProcess): Promise<void> => {
    if (loop.exitCode !== null || loop.signalCode !== null) return;
    loop.kill('SIGKILL');
    await once(loop, 'exit');
  };
  t.after(() => Promise.all(loops.map(end)));
  const shares = async (): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    for await (const { items } of client.list(secrets, 'metadata', { namespace })) {
      for (const secret of items) {
        const key = drainOf(secret) === undefined ? (labelOf(secret) ?? 'none') : 'moving';
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    return counts;
  };

  await controlPlane.kubectl(['apply', '-f', '-'], { input: lease(namespace) });
  const renewing = start(renew);
  const acknowledging = start(acknowledge);

  await t.test('it gets its share from the others', async () => {
    await waitFor('its share', async () => (await shares()).get(name) === secretCount / 3, {
      timeoutMs: 20_000,
    });
    await waitFor('its state', async () => {
      const { metadata } = await client.getMetadata(leases, { namespace, name });
      return metadata.labels?.[stateLabel] === 'ready';
    });
  });

  await t.test('it gives some to a shard that joins, by removing both labels', async () => {
    await ring.job.fleet.addReplica();
    await waitFor(
      'level shares',
      async () => {
        const counts = await shares();
        return counts.size === 4 && [...counts.values()].every((count) => count === secretCount / 4);
      },
      { timeoutMs: 40_000 },
    );
  });

  await t.test('released, its objects come back', async () => {
    await end(renewing);
    await controlPlane.kubectl([
      '-n',
      namespace,
      'patch',
      'lease',
      name,
      '--type=merge',
      '-p',
      '{"spec":{"holderIdentity":""}}',
    ]);
    await ring.play({ moves: 'any', withinMs: 15_000, act: async () => undefined });
    assert.equal((await shares()).get(name), undefined);
  });
  await end(acknowledging);
});
