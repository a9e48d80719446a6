import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { customResourceDefinitions, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { compareResourceVersions, type KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import {
  type ControllerRing,
  controllerRingApiVersion,
} from '@controller-sharding/shared/sharding/controller-ring.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { createRing } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { branches, treeDefinition, treeNamespaces, trees } from './trees.ts';

const treeCount = 40;
/** A Tree, and three levels below it in two namespaces. */
const objectsOfTree = 1 + branches.length * treeNamespaces.length;
const ringOfTrees: ControllerRing = {
  apiVersion: controllerRingApiVersion,
  kind: 'ControllerRing',
  metadata: { name: 'trees' },
  spec: {
    resources: [
      {
        group: trees.group,
        resource: trees.resource,
        controlledResources: branches.map(({ group, resource }) => ({ group, resource })),
      },
    ],
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: treeNamespaces }],
    },
  },
};
const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const shardOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.[shardLabel('trees')];

/** Watches all objects of all trees. */
class Forest {
  readonly #informers: Informer<KubeObject>[];
  readonly #splitSince = new Map<string, number>();
  /** For the longest time (ms), objects of one tree were seen on different shards. */
  longestSplitMs = 0;

  constructor(client: KubeClient, signal: AbortSignal) {
    this.#informers = [trees, ...branches].map((resource) => {
      const options = { client, clock, resource, form: 'metadata' as const, logger: silentLogger };
      const informer = new Informer<KubeObject>({
        ...options,
        keep: ({ metadata }) => isOfTree(metadata.name),
      });
      const seen = ({ metadata }: KubeObject): void => this.#look(metadata.name);
      informer.addHandler({ added: seen, updated: (_old, now) => seen(now), deleted: seen });
      void informer.run(signal);
      return informer;
    });
  }

  synced(signal: AbortSignal): Promise<unknown> {
    return Promise.all(this.#informers.map((informer) => informer.waitForSync(signal)));
  }

  tree(name: string): KubeObject[] {
    return this.#informers.flatMap((informer) =>
      informer.store.list().filter(({ metadata }) => metadata.name === name),
    );
  }

  /** The shards of the trees, when all are complete, each on one shard, and none on the move. */
  shards(): string[] | undefined {
    const names = Array.from({ length: treeCount }, (_, number) => nameOf(number));
    const found = names.map((name) => {
      const objects = this.tree(name);
      const shards = new Set(objects.map(shardOf));
      const moving = objects.some(({ metadata }) => metadata.labels?.[drainLabel('trees')] !== undefined);
      const [shard] = shards;
      return objects.length === objectsOfTree && shards.size === 1 && !moving ? shard : undefined;
    });
    return found.every((shard) => shard !== undefined) ? found : undefined;
  }

  #look(name: string): void {
    const objects = this.tree(name);
    const shards = new Set(objects.map(shardOf).filter((shard) => shard !== undefined));
    const since = this.#splitSince.get(name);
    const now = clock.monotonic();
    if (since !== undefined) this.longestSplitMs = Math.max(this.longestSplitMs, now - since);
    if (shards.size < 2) this.#splitSince.delete(name);
    else this.#splitSince.set(name, since ?? now);
  }
}

const nameOf = (number: number): string => `tree-${number}`;
const isOfTree = (name: string): boolean => name.startsWith('tree-');

async function start(t: TestContext) {
  const controlPlane = await startControlPlane();
  const { kubeconfigPath, logFolder } = controlPlane;
  const transport = new Transport(loadKubeConfig({ kubeconfig: kubeconfigPath }), { clock });
  const client = new KubeClient(transport);
  const end = new AbortController();
  t.after(async () => {
    end.abort();
    await transport.close();
    await controlPlane.stop();
  });
  const run = async (name: string, path: string, flags: string[]): Promise<RunningProcess> => {
    const common = [`--kubeconfig=${kubeconfigPath}`, '--health-address=0', '--metrics-address=0'];
    const args = [program(path), ...flags, ...common];
    const running = await startProcess({ name, args, logFile: join(logFolder, `${name}.log`) });
    t.after(() => running.stop('SIGKILL'));
    return running;
  };
  for (const name of ['sharding-system', ...treeNamespaces])
    await client.create<KubeObject>(namespaces, { metadata: { name } });
  await client.create(customResourceDefinitions, treeDefinition);
  await createRing(client, ringOfTrees);
  await waitFor('the API server to serve Trees', () =>
    client.listPage(trees, 'metadata', { limit: 1 }).then(
      () => true,
      () => false,
    ),
  );
  const forest = new Forest(client, end.signal);
  await forest.synced(AbortSignal.timeout(10_000));
  await run('sharder', 'sharder/cli/main.ts', ['run', '--webhook=false']);
  const shard = (name: string): Promise<RunningProcess> =>
    run(name, 'e2e/tests/tree-operator.ts', [`--shard-name=${name}`, '--lease-namespace=default']);
  return { client, forest, shard };
}

test('trees of depth three, with cluster-scoped roots, stay together on their way between shards', {
  timeout: 240_000,
}, async (t) => {
  const { client, forest, shard } = await start(t);
  const spreadOver = (names: string[], timeoutMs: number): Promise<string[]> =>
    waitFor(
      `whole trees on ${names.join(', ')}`,
      () => {
        const shards = forest.shards();
        const used = new Set(shards);
        return used.size === names.length && names.every((name) => used.has(name)) && shards;
      },
      { timeoutMs },
    );
  /** The last write to each tree was that to its root, if it has moved. */
  const rootsWereLast = (before: readonly string[], now: readonly string[]): void => {
    for (const [number, name] of now.entries()) {
      if (before[number] === name) continue;
      const [root, ...below] = forest
        .tree(nameOf(number))
        .map(({ metadata }) => metadata.resourceVersion ?? '0');
      for (const version of below) assert(compareResourceVersions(version, root ?? '0') < 0, nameOf(number));
    }
  };
  const together = (): void => {
    t.diagnostic(`split for ${Math.round(forest.longestSplitMs)} ms at most`);
    assert(forest.longestSplitMs < 1_000, `${forest.longestSplitMs} ms`);
  };

  await shard('a');
  const killed = await shard('b');
  for (let number = 0; number < treeCount; number += 1)
    await client.create<KubeObject>(trees, { metadata: { name: nameOf(number) } });
  const first = await spreadOver(['a', 'b'], 30_000);
  together();

  await t.test('when a shard joins', async () => {
    await shard('c');
    const joined = await spreadOver(['a', 'b', 'c'], 30_000);
    const moved = joined.filter((name, number) => first[number] !== name);
    assert(moved.length >= 10 && moved.every((name) => name === 'c'), String(moved));
    rootsWereLast(first, joined);
    together();
  });

  await t.test('and when one is killed', async () => {
    const before = forest.shards() ?? [];
    await killed.stop('SIGKILL');
    const now = await spreadOver(['a', 'c'], 40_000);
    rootsWereLast(before, now);
    together();
  });
});
