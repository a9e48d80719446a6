import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { chart, Helm } from '../harness/helm.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { createDuring } from './creation-load.ts';
import { installChecksumOperator, removeAll } from './install.ts';
import { RingView } from './ring-view.ts';
import { onCluster } from './suite-cluster.ts';
import { uninstallOperator } from './uninstall.ts';
import { untilWebhookAnswers } from './webhook-calls.ts';

const SECRETS = 60;
const namespaceFile = fileURLToPath(new URL('../../manifests/sharder/base/namespace.yaml', import.meta.url));
const kinds = 'deployments,services,configmaps,serviceaccounts,clusterroles,customresourcedefinitions';

test('the same with Helm', { timeout: 600_000 }, (t: TestContext) =>
  onCluster(t, { nodes: 1 }, async (cluster, step) => {
    const { client } = cluster;
    if (cluster.own === undefined) await removeAll(cluster);
    const { metadata } = await client.create(namespaces, namespaceNamed(`suite-${Date.now()}`));
    const view = new RingView(cluster, metadata.name);
    const helm = new Helm(cluster);
    const colon = cluster.image.lastIndexOf(':');
    const image = { repository: cluster.image.slice(0, colon), tag: cluster.image.slice(colon + 1) };
    const wait = ['--wait', '--timeout', '90s'];
    const sharderPods = (): Promise<string> =>
      cluster.kubectl('-n sharding-system get pods -l app.kubernetes.io/name=sharder -o name');

    await step('Helm installs a sharder that is available, and an operator comes beside it', async () => {
      await cluster.kubectl(`apply -f ${namespaceFile}`);
      await helm.run(['install', 'sharder', chart, ...wait], { image });
      await installChecksumOperator(cluster);
      await waitFor('three shards', async () => (await view.holders()).size === 3, { timeoutMs: 30_000 });
    });

    await step('one of its two pods may be evicted at a time', async () => {
      const budget = (): Promise<string> =>
        cluster.kubectl(
          '-n sharding-system get pdb sharder -o jsonpath={.status.expectedPods}/{.status.disruptionsAllowed}',
        );
      await waitFor('two pods counted', async () => (await budget()) === '2/1');
    });

    await step('the webhook is called through its Service', () => untilWebhookAnswers(cluster, view));

    await step('the objects spread over three replicas, with what they control', async () => {
      await view.createMany('secret', SECRETS);
      await view.untilSpread(3);
    });

    await step('an upgrade with another configuration: new pods, and no creation fails', async () => {
      const before = new Set((await sharderPods()).trim().split('\n'));
      const values = { image, config: { logging: { level: 'debug' } } };
      const result = await createDuring(view, async () => {
        await helm.run(['upgrade', 'sharder', chart, ...wait], values);
        await waitFor('new pods only', async () =>
          (await sharderPods())
            .trim()
            .split('\n')
            .every((name) => !before.has(name)),
        );
      });
      t.diagnostic(`upgrade with Helm: ${JSON.stringify(result)}`);
      assert.deepEqual(result.failures, []);
      assert.ok(result.created > 10);
      const configMap = '-n sharding-system get configmaps -l app.kubernetes.io/name=sharder -o yaml';
      assert.match(await cluster.kubectl(configMap), /level: debug/);
      await view.untilSpread(3);
    });

    await step('uninstalled, only the definition of the rings is left', async () => {
      await uninstallOperator(cluster);
      await helm.run(['uninstall', 'sharder', ...wait]);
      const selector = 'app.kubernetes.io/name=sharder';
      assert.equal(
        (await cluster.kubectl(`-n sharding-system get ${kinds} -l ${selector} -o name`)).trim(),
        'customresourcedefinition.apiextensions.k8s.io/controllerrings.sharding.timebertt.dev',
      );
      const { owners, children } = await view.shards();
      assert.ok(owners.size > SECRETS);
      assert.deepEqual(new Set([...owners.values(), ...children.values()]), new Set([undefined]));
      await removeAll(cluster);
      await client.delete(namespaces, { name: view.namespace });
    });
  }),
);
