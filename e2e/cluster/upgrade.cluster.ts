import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { olderVersion } from '../node/older-image.ts';
import { createDuring } from './creation-load.ts';
import { installChecksumOperator, installSharder } from './install.ts';
import { RingView } from './ring-view.ts';
import { isBorrowed, onCluster } from './suite-cluster.ts';
import { untilWebhookAnswers } from './webhook-calls.ts';

const SECRETS = 300;

/** A node of its own has the older image; another cluster can't have it. */
const skip = isBorrowed;

test('upgrade and rollback with objects in place', { timeout: 400_000, skip }, async (t: TestContext) => {
  const older = await olderVersion();
  await onCluster(t, { nodes: 1, images: [older.archive] }, async (cluster, step) => {
    const { metadata } = await cluster.client.create(namespaces, namespaceNamed('suite-upgrade'));
    const view = new RingView(cluster, metadata.name);

    /** While one component is replaced, creations go on; what was there is not written to, not even by a drain. */
    const replacing = async (what: string, replace: () => Promise<void>): Promise<void> => {
      const before = new Set(await view.versions());
      const result = await createDuring(view, replace, `${what.replaceAll(' ', '-')}-`);
      t.diagnostic(`${what}: ${JSON.stringify(result)}`);
      assert.deepEqual(result.failures, []);
      assert.ok(result.created > 20);
      await view.untilSpread(3);
      const after = new Set(await view.versions());
      assert.deepEqual(
        [...before].filter((version) => !after.has(version)),
        [],
        'written to',
      );
      await view.untilReconciled(`after-${what.replaceAll(' ', '-')}`);
    };

    await step('an older sharder and an older operator with three replicas share objects', async () => {
      await installSharder(cluster, older);
      await installChecksumOperator(cluster, [], older);
      await waitFor('three shards', async () => (await view.holders()).size === 3, { timeoutMs: 30_000 });
      await untilWebhookAnswers(cluster, view);
      await view.createMany('secret', SECRETS);
      await view.untilSpread(3);
    });

    await step('the sharder is upgraded first: a newer sharder, older shards', () =>
      replacing('sharder upgraded', () => installSharder(cluster)),
    );
    await step('then the operator', () =>
      replacing('operator upgraded', () => installChecksumOperator(cluster)),
    );
    await step('the sharder is rolled back: an older sharder, newer shards', () =>
      replacing('sharder rolled back', () => installSharder(cluster, older)),
    );
    await step('then the operator', () =>
      replacing('operator rolled back', () => installChecksumOperator(cluster, [], older)),
    );
  });
});
