import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { guideBlocks } from './guide.ts';
import { GuideReader } from './guide-reader.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const label = shardLabel('website-operator');

test('who follows the guide in an empty folder has a sharded operator', { timeout: 240_000 }, async () => {
  await using controlPlane = await startControlPlane();
  const folder = await mkdtemp(join(tmpdir(), 'guide-'));
  const { kubectl: kubectlPath } = await ensureBinaries(['kubectl']);
  const reader = new GuideReader({
    folder,
    kubeconfig: controlPlane.kubeconfigPath,
    programFolders: [dirname(kubectlPath)],
  });
  const kubectl = (...args: string[]): Promise<string> => controlPlane.kubectl(args);
  const shards = async (what: string): Promise<string[]> => {
    const { items } = JSON.parse(await kubectl('get', what, '--output=json'));
    return items
      .filter(({ metadata }: Labelled) => metadata.name !== 'kube-root-ca.crt')
      .map(({ metadata }: Labelled) => `${metadata.name} ${metadata.labels?.[label]}`)
      .toSorted();
  };
  try {
    const guide = await readFile(join(repository, 'docs/shard-your-operator.md'), 'utf8');
    for (const block of guideBlocks(guide)) await reader.follow(block);
    // The third replica has just joined.
    await waitFor('pages to be on the shard of their Website, on three of them', async () => {
      const [sites, pages] = [await shards('websites'), await shards('configmaps')];
      const names = new Set(sites.map((site) => site.split(' ')[1]));
      return sites.length === 6 && isDeepStrictEqual(sites, pages) && names.size === 3;
    });
    const log = await reader.log();
    for (const name of ['website-operator-1', 'website-operator-2']) {
      assert.match(
        log,
        new RegExp(`website.example.com/. .*${name}`),
        'the reader saw both replicas at work',
      );
    }

    await kubectl('patch', 'theme', 'calm', '--type=merge', '--patch={"spec":{"color":"ivory"}}');
    await waitFor('all pages in the new color', async () => {
      const pages = await kubectl('get', 'configmaps', '--output=jsonpath={.items[*].data.index\\.html}');
      return pages.split('ivory').length === 7;
    });
  } catch (error) {
    throw new Error(`The log of the reader's shell:\n${await reader.log().catch(() => '')}`, {
      cause: error,
    });
  } finally {
    reader.end();
    await rm(folder, { recursive: true });
  }
});

interface Labelled {
  metadata: { name: string; labels?: Record<string, string> };
}
