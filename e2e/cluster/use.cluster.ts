import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { guideBlocks } from '../examples/guide.ts';
import { GuideReader } from '../examples/guide-reader.ts';
import { removeAll } from './install.ts';
import { RingView } from './ring-view.ts';
import { onCluster } from './suite-cluster.ts';

const guide = new URL('../../docs/use.md', import.meta.url);

test('who follows docs/use.md has it all, and in the end nothing', { timeout: 600_000 }, (t: TestContext) =>
  onCluster(t, { nodes: 1 }, async (cluster, step) => {
    if (cluster.own === undefined) await removeAll(cluster);
    const { helm } = await ensureBinaries(['helm']);
    const reader = new GuideReader({
      folder: await mkdtemp(join(cluster.folder, 'reader-')),
      kubeconfig: cluster.kubeconfig,
      programFolders: [cluster.programs, dirname(helm)],
      env: { IMAGE: cluster.image },
    });
    try {
      for (const block of guideBlocks(await readFile(guide, 'utf8'))) {
        await step(block.code.split('\n')[0] ?? '', () => reader.follow(block));
      }
      await step('nine objects were shared out, and no label is left', async () => {
        const shown = (await reader.log()).match(/^secret\/\w+ .* checksum-controller-[012]$/gm);
        assert.equal(new Set(shown).size, 9);
        const { owners, children } = await new RingView(cluster, 'shop').shards();
        assert.deepEqual([owners.size, children.size], [9, 9]);
        assert.deepEqual(new Set([...owners.values(), ...children.values()]), new Set([undefined]));
        await cluster.client.delete(namespaces, { name: 'shop' });
      });
    } finally {
      reader.end();
    }
  }),
);
