import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { namespaces, pods } from '@controller-sharding/shared/kube/resources.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { installChecksumOperator, installSharder, rolledOut } from './install.ts';
import { operator, operatorNamespace, RingView } from './ring-view.ts';
import { isBorrowed, onCluster, type SuiteCluster } from './suite-cluster.ts';

const SECRETS = 90;
/** The Lease runs out after 15 s, the pods come back at about the same time, and a name that comes back settles. */
const BACK_MS = 120_000;

/** Without slots: each pod is a shard of its own name, so the objects of a lost one have to move. */
const namedAfterPods = {
  target: { kind: 'Deployment', name: operator },
  patch: JSON.stringify([
    { op: 'replace', path: '/spec/template/spec/containers/0/args', value: ['checksum-operator'] },
  ]),
};

const skip = isBorrowed && 'the nodes of a borrowed cluster are left alone';

test('nodes that are cut off or lost', { timeout: 900_000, skip }, (t: TestContext) =>
  onCluster(t, { nodes: 2 }, async (cluster, step) => {
    const { client, own } = cluster;
    assert.ok(own);
    await client.create(namespaces, namespaceNamed('shop'));
    const view = new RingView(cluster, 'shop');
    const podsOn = async (node: string): Promise<number> =>
      (await view.pods()).filter(({ spec }) => spec.nodeName === node).length;
    /** The node's replicas are given up, and others have their objects. */
    const untilReplaced = async (node: string): Promise<Map<string, string | undefined>> => {
      await waitFor(`no replica on ${node}`, async () => (await podsOn(node)) === 0, { timeoutMs: BACK_MS });
      return view.untilSpread(3, BACK_MS);
    };
    const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      const began = performance.now();
      await work();
      t.diagnostic(`${what}: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    };

    await step('replicas on both nodes share the objects', async () => {
      await installSharder(cluster);
      await installChecksumOperator(cluster);
      await view.createMany('secret', SECRETS);
      await view.untilSpread(3);
      assert.ok((await podsOn('node-1')) > 0);
      assert.ok((await podsOn('node-2')) > 0);
    });

    await step('a node is cut off: its replicas are replaced, and its objects go on elsewhere', async () => {
      await own.setCable('node-2', 'down');
      await timed('cut off, until all objects have a replica that works', () => untilReplaced('node-2'));
      await view.untilReconciled('cut-off');
    });

    await step('it comes back, and nothing moves', async () => {
      const before = await view.versions();
      await own.setCable('node-2', 'up');
      await cluster.kubectl('wait --for=condition=Ready node/node-2 --timeout=60s');
      await waitFor(
        'the pods that were replaced to end',
        async () => {
          const options = { namespace: operatorNamespace };
          return (await client.listPage(pods, 'metadata', options)).items.length === 3;
        },
        { timeoutMs: 60_000 },
      );
      await view.untilSpread(3);
      assert.deepEqual(await view.versions(), before);
    });

    await step('a node is lost: pods come back elsewhere, and take over its objects', async () => {
      await spread(cluster, podsOn, 'node-2');
      await view.untilSpread(3);
      await own.loseNode('node-2');
      await timed('lost, until all objects have a replica that works', () => untilReplaced('node-2'));
      await view.untilReconciled('lost');
      await rolledOut(cluster, 'sharding-system', 'sharder');
    });

    await step('without slots, the objects of a lost node move when the Leases have run out', async () => {
      const node = await own.addNode();
      await installChecksumOperator(cluster, [namedAfterPods]);
      await spread(cluster, podsOn, node);
      const before = await view.untilSpread(3);
      const lost = new Set(
        (await view.pods()).filter(({ spec }) => spec.nodeName === node).map(({ metadata }) => metadata.name),
      );
      await own.loseNode(node);
      let after = before;
      await timed('lost without slots, until all objects have a replica that works', async () => {
        after = await untilReplaced(node);
      });
      assert.ok([...before.values()].some((shard) => shard !== undefined && lost.has(shard)));
      assert.ok([...after.values()].every((shard) => shard !== undefined && !lost.has(shard)));
      await view.untilReconciled('moved');
    });
  }),
);

/** Pods stay on their nodes when one joins: a rolling update places them anew. */
async function spread(
  cluster: SuiteCluster,
  podsOn: (node: string) => Promise<number>,
  node: string,
): Promise<void> {
  for (let attempt = 0; attempt < 3 && (await podsOn(node)) === 0; attempt += 1) {
    await cluster.kubectl(`-n ${operatorNamespace} rollout restart deployment ${operator}`);
    await rolledOut(cluster, operatorNamespace, operator);
  }
  assert.ok((await podsOn(node)) > 0, `there is a replica on ${node}`);
}
