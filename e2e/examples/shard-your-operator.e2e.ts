import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import { waitFor } from '../harness/wait-for.ts';
import { type GuideBlock, guideBlocks, patched } from './guide.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const label = shardLabel('website-operator');

/** What a reader has and does, in an empty folder. */
class Reader {
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #shells: number[] = [];

  constructor(folder: string, kubeconfig: string, kubectlFolder: string) {
    this.folder = folder;
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    this.#env = {
      ...env,
      KUBECONFIG: kubeconfig,
      SHARDING: repository.replace(/\/$/, ''),
      PATH: [kubectlFolder, dirname(process.execPath), env['PATH']].join(':'),
      npm_config_prefer_offline: 'true',
      npm_config_fund: 'false',
      npm_config_audit: 'false',
    };
  }

  async follow({ language, file, code }: GuideBlock): Promise<void> {
    const path = file === undefined ? undefined : join(this.folder, file);
    if (language === 'sh') await this.run(code);
    else if (path === undefined) throw new Error(`a block of ${language} that is no file:\n${code}`);
    else if (language === 'diff') await writeFile(path, patched(await readFile(path, 'utf8'), code));
    else await writeFile(path, code);
  }

  /** Ends when the shell does; what it has started in the background goes on. */
  async run(script: string): Promise<void> {
    const log = await open(join(this.folder, 'log'), 'a');
    try {
      const shell = spawn('bash', ['-euc', script], {
        cwd: this.folder,
        env: this.#env,
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      });
      if (shell.pid !== undefined) this.#shells.push(shell.pid);
      const [code] = await once(shell, 'exit');
      if (code !== 0) throw new Error(`this failed:\n${script}\n${await this.log()}`);
    } finally {
      await log.close();
    }
  }

  log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  /** Ends what the shells have started. */
  end(): void {
    for (const group of this.#shells) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // All of it has ended.
      }
    }
  }
}

test('who follows the guide in an empty folder has a sharded operator', { timeout: 240_000 }, async () => {
  await using controlPlane = await startControlPlane();
  const folder = await mkdtemp(join(tmpdir(), 'guide-'));
  const { kubectl: kubectlPath } = await ensureBinaries(['kubectl']);
  const reader = new Reader(folder, controlPlane.kubeconfigPath, dirname(kubectlPath));
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
