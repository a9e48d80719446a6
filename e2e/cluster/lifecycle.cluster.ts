import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { namespaces, pods } from '@controller-sharding/shared/kube/resources.ts';
import { sharderNamespace } from '@controller-sharding/shared/sharding/contract.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { killContainer } from './container-killer.ts';
import { createDuring } from './creation-load.ts';
import { installChecksumOperator, installSharder, removeAll, rolledOut } from './install.ts';
import type { Pod } from './pods.ts';
import { operator, operatorNamespace, RingView } from './ring-view.ts';
import { onCluster, type SuiteCluster } from './suite-cluster.ts';
import { uninstall } from './uninstall.ts';
import { untilWebhookAnswers } from './webhook-calls.ts';

const SECRETS = 120;

const scale = async (cluster: SuiteCluster, replicas: number): Promise<void> => {
  await cluster.kubectl(`-n ${operatorNamespace} scale deployment ${operator} --replicas=${replicas}`);
  await rolledOut(cluster, operatorNamespace, operator);
};

/** The objects that have another shard than before; they all were there before. */
function moved(
  before: ReadonlyMap<string, string | undefined>,
  after: ReadonlyMap<string, string | undefined>,
): { name: string; from: string | undefined; to: string | undefined }[] {
  return [...before].flatMap(([name, from]) => {
    const to = after.get(name);
    return to === from ? [] : [{ name, from, to }];
  });
}

test('from manifests to nothing left', { timeout: 900_000 }, (t: TestContext) =>
  onCluster(t, { nodes: 1 }, async (cluster, step) => {
    const { client } = cluster;
    if (cluster.own === undefined) await removeAll(cluster);
    const { metadata } = await client.create(namespaces, namespaceNamed(`suite-${Date.now()}`));
    const view = new RingView(cluster, metadata.name);

    await step(
      'kustomize installs a sharder that is available, and an operator with three replicas',
      async () => {
        await installSharder(cluster);
        await installChecksumOperator(cluster);
        await waitFor('three shards', async () => (await view.holders()).size === 3, {
          timeoutMs: 30_000,
        });
      },
    );

    await step('the webhook is called through its Service', () => untilWebhookAnswers(cluster, view));

    await step('its metrics are served through its Service by HTTPS, to nobody without a token', async () => {
      const path = `/api/v1/namespaces/${sharderNamespace}/services/https:sharder:metrics/proxy/metrics`;
      await assert.rejects(cluster.kubectl(`get --raw ${path}`), /Unauthorized|logged in/);
    });

    await step('the objects spread over three replicas, with what they control', async () => {
      await view.createMany('secret', SECRETS);
      await view.untilSpread(3);
    });

    await step('two replicas more take over their part, and nothing else moves', async () => {
      const before = await view.untilSpread(3);
      const old = new Set(before.values());
      await scale(cluster, 5);
      const movedNow = moved(before, await view.untilSpread(5));
      t.diagnostic(`3 to 5 replicas: ${movedNow.length} of ${before.size} objects moved`);
      assert.ok(movedNow.length > 0);
      assert.deepEqual(
        movedNow.filter(({ to }) => old.has(to)),
        [],
        'none between those that were there',
      );
    });

    await step('three replicas less leave their part to the others', async () => {
      const before = await view.untilSpread(5);
      await scale(cluster, 2);
      const after = await view.untilSpread(2);
      const left = new Set(after.values());
      assert.deepEqual(
        moved(before, after).filter(({ from }) => left.has(from)),
        [],
        'what was on those that stay stays there',
      );
      await scale(cluster, 3);
      await view.untilSpread(3);
    });

    await step('a rolling update of the operator moves nothing', async () => {
      const before = await view.versions();
      const oldPods = new Set((await view.pods()).map(({ metadata: { uid } }) => uid));
      await cluster.kubectl(`-n ${operatorNamespace} rollout restart deployment ${operator}`);
      await rolledOut(cluster, operatorNamespace, operator);
      assert.ok(
        (await view.pods()).every(({ metadata: { uid } }) => !oldPods.has(uid)),
        'all pods are new',
      );
      await view.untilSpread(3);
      assert.deepEqual(await view.versions(), before);
      await view.untilReconciled('after-rollout');
    });

    await step('a pod is deleted, and the next one goes on with its objects', async () => {
      const before = await view.versions();
      const [victim] = await view.pods();
      await cluster.kubectl(`-n ${operatorNamespace} delete pod ${victim?.metadata.name}`);
      await rolledOut(cluster, operatorNamespace, operator);
      await view.untilSpread(3);
      assert.deepEqual(await view.versions(), before);
      await view.untilReconciled('after-deletion');
    });

    await step('a pod is deleted without grace, and all objects have a replica again', async () => {
      const [victim] = await view.pods();
      const began = performance.now();
      assert.ok(victim);
      await cluster.kubectl(
        `-n ${operatorNamespace} delete pod ${victim?.metadata.name} --grace-period=0 --force`,
      );
      await view.untilSpread(3);
      await view.untilReconciled('after-force');
      t.diagnostic(`a pod deleted by force: all at work after ${Math.round(performance.now() - began)} ms`);
    });

    await step('kill -9 in a container: it starts again and keeps its objects', async () => {
      const before = await view.versions();
      const [victim] = await view.pods();
      assert.ok(victim);
      assert.equal(await killContainer(cluster, victim, operator), 137);
      const { uid } = (await client.get<Pod>(pods, { ...victim.metadata, namespace: operatorNamespace }))
        .metadata;
      assert.equal(uid, victim.metadata.uid, 'the same pod');
      await view.untilSpread(3);
      assert.deepEqual(await view.versions(), before);
      await view.untilReconciled('after-kill');
    });

    await step(
      'a rolling update of the sharder: no creation fails, no object stays without a shard',
      async () => {
        const result = await createDuring(view, async () => {
          await cluster.kubectl('-n sharding-system rollout restart deployment sharder');
          await rolledOut(cluster, 'sharding-system', 'sharder');
        });
        t.diagnostic(`rolling update of the sharder: ${JSON.stringify(result)}`);
        assert.deepEqual(result.failures, []);
        assert.ok(result.created > 20);
        await view.untilSpread(3);
      },
    );

    await step('uninstalled, nothing is left behind', async () => {
      await uninstall(cluster);
      const { owners, children } = await view.shards();
      assert.ok(owners.size > SECRETS);
      const labels = new Set([...owners.values(), ...children.values()]);
      assert.deepEqual([...labels], [undefined]);
      await client.delete(namespaces, { name: view.namespace });
    });
  }),
);
