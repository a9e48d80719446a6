import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type Deployment,
  deployments,
  operatorName,
} from '@controller-sharding/operator/webhosting/resources.ts';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { stringify } from 'yaml';
import { guideBlocks } from '../examples/guide.ts';
import { GuideReader } from '../examples/guide-reader.ts';
import { waitFor } from '../harness/wait-for.ts';
import { metricsServer } from '../node/metrics-server.ts';
import { told, usageOf } from './container-usage.ts';
import { installSharder, removeAll, rolledOut } from './install.ts';
import { isBorrowed, onCluster, type SuiteCluster } from './suite-cluster.ts';
import { changeDuring, lookDuring } from './website-load.ts';
import { WebsiteView, websiteNamespace } from './website-view.ts';

const WEBSITES = 240;
const PER_SECOND = 50;
const SHARDERS = 2;
const FEWEST = 2;
const MOST = 4;
const guide = new URL('../../docs/autoscaling.md', import.meta.url);

/** The example's autoscaler, for a machine on which shards can't have a CPU each, and for who can't wait. */
const sooner = {
  target: { kind: 'HorizontalPodAutoscaler', name: operatorName },
  patch: JSON.stringify([
    { op: 'replace', path: '/spec/maxReplicas', value: MOST },
    { op: 'replace', path: '/spec/metrics/0/resource/target/averageValue', value: '25m' },
    {
      op: 'replace',
      path: '/spec/behavior',
      value: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }],
        },
        scaleDown: {
          stabilizationWindowSeconds: 15,
          policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }],
        },
      },
    },
  ]),
};

test(
  'an autoscaler adds shards under load, and takes them away afterwards',
  { timeout: 900_000 },
  (t: TestContext) =>
    measuredCluster(t, async (cluster, step) => {
      const view = new WebsiteView(cluster, `project-${Date.now()}`);
      const reader = new GuideReader({
        folder: await mkdtemp(join(cluster.folder, 'reader-')),
        kubeconfig: cluster.kubeconfig,
        programFolders: [cluster.programs],
        env: { IMAGE: cluster.image },
      });
      const kustomization = join(reader.folder, 'autoscaled', 'kustomization.yaml');
      const replicas = async (): Promise<number> => {
        const ref = { namespace: websiteNamespace, name: operatorName };
        return (await cluster.client.get<Deployment>(deployments, ref)).spec.replicas;
      };
      const untilReplicas = async (wanted: number, timeoutMs = 150_000): Promise<void> => {
        const began = performance.now();
        await waitFor(`${wanted} replicas`, async () => (await replicas()) === wanted, {
          timeoutMs,
          everyMs: 500,
        });
        t.diagnostic(`${wanted} replicas wanted after ${Math.round((performance.now() - began) / 1_000)} s`);
      };
      /** Diagnostics, of which the requests of the manifests follow. */
      const measured = async (when: string, shards: number): Promise<void> => {
        const usages = await Promise.all([
          usageOf(cluster, 'sharding-system', SHARDERS),
          usageOf(cluster, websiteNamespace, shards),
        ]);
        for (const usage of usages.flat()) {
          t.diagnostic(`${when}: ${told(usage)}`);
          assert.ok(usage.workingSet <= usage.requested, told(usage));
        }
      };

      await step(
        'who follows docs/autoscaling.md has two shards, and an autoscaler that knows their CPU time',
        async () => {
          await installSharder(cluster);
          for (const block of guideBlocks(await readFile(guide, 'utf8'))) {
            if (block.language === 'sh') await reader.follow(block);
          }
          assert.match(
            await reader.log(),
            /^webhosting-operator +Deployment\/webhosting-operator +cpu: \d+m\/500m +2 +10 +2 /m,
          );
          assert.match(await reader.log(), /^webhosting-operator-\S+ +\d+m +\d+Mi/m);
        },
      );

      await step('two shards share the Websites, and come to rest', async () => {
        await view.create(WEBSITES);
        await view.untilSpread(FEWEST);
        await view.untilReady(WEBSITES);
        await measured('at rest', FEWEST);
      });

      await step('under load there are as many as may be, and each has its part', async () => {
        await appendFile(kustomization, stringify({ patches: [sooner] }));
        await cluster.kubectl(`apply -k ${join(reader.folder, 'autoscaled')}`);
        assert.equal(await replicas(), FEWEST);
        const before = await view.untilSpread(FEWEST);
        const old = new Set(before.values());
        const load = await changeDuring(view, { websites: WEBSITES, perSecond: PER_SECOND }, async () => {
          const { looks, found } = await lookDuring(view, async () => {
            await untilReplicas(FEWEST + 1);
            await untilReplicas(MOST);
            await rolledOut(cluster, websiteNamespace, operatorName);
            const after = await view.untilSpread(MOST);
            const movedBack = [...after].filter(([name, to]) => before.get(name) !== to && old.has(to));
            assert.deepEqual(movedBack, [], 'none moved between those that were there');
          });
          assert.deepEqual(found, [], 'Websites without a shard');
          assert.ok(looks > 20);
          await measured('under load', MOST);
          await cluster.kubectl(`apply -k ${join(reader.folder, 'autoscaled')}`);
          assert.equal(await replicas(), MOST, 'applied again, it stays as the autoscaler has it');
        });
        t.diagnostic(`load: ${JSON.stringify(load)}`);
        assert.deepEqual(load.failures, []);
        await view.untilReady(WEBSITES);
      });

      await step('without load the highest slots go, and the others have all Websites', async () => {
        const before = await view.untilSpread(MOST);
        const { looks, found } = await lookDuring(view, async () => {
          await untilReplicas(FEWEST + 1, 200_000);
          await untilReplicas(FEWEST, 200_000);
          const after = await view.untilSpread(FEWEST);
          const stayed = new Set(after.values());
          const movedOff = [...before].filter(([name, from]) => stayed.has(from) && after.get(name) !== from);
          assert.deepEqual(movedOff, [], 'what is on those that stay stays there');
          assert.deepEqual(stayed, new Set([`${operatorName}-0`, `${operatorName}-1`]));
        });
        assert.deepEqual(found, [], 'Websites without a shard');
        assert.ok(looks > 20);
        await view.untilReady(WEBSITES);
        await measured('afterwards', FEWEST);
      });

      if (cluster.own === undefined) {
        await step('removed', async () => {
          await cluster.client.delete(namespaces, { name: view.namespace });
          await removeAll(cluster);
        });
      }
    }),
);

/** A cluster whose API server knows what pods use: one of its own has metrics-server from here, a borrowed one its own. */
async function measuredCluster(t: TestContext, story: Parameters<typeof onCluster>[2]): Promise<void> {
  const own = isBorrowed ? undefined : await metricsServer();
  await onCluster(t, { nodes: 1, images: own ? [own.archive] : [] }, async (cluster, step) => {
    if (own) {
      await step('metrics-server answers', async () => {
        await cluster.kubectl('apply -f -', own.manifests);
        await waitFor('the metrics API', () => hasMetrics(cluster), { timeoutMs: 90_000, everyMs: 500 });
      });
    } else if (await hasMetrics(cluster)) {
      await removeAll(cluster);
    } else {
      t.skip('the cluster has no metrics API (metrics.k8s.io): it needs metrics-server');
      return;
    }
    await story(cluster, step);
  });
}

/** It answers, and with something. */
const hasMetrics = async (cluster: SuiteCluster): Promise<boolean> =>
  cluster.kubectl('top nodes --no-headers').then(
    (lines) => /\d+m +\d+% +\d+Mi/.test(lines),
    () => false,
  );
