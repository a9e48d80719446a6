import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps, namespaces, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { startControlPlane } from '../harness/control-plane.ts';
import { freePort } from '../harness/ports.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { createRing, startSharder } from '../harness/sharder.ts';
import { silentServer } from '../harness/silent-server.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';

const ring = 'checksum-controller';
const label = shardLabel(ring);
const namespace = 'shop';
const operatorProgram = fileURLToPath(new URL('../../operator/checksum/main.ts', import.meta.url));

for (const [what, unreachable] of [
  ['refuses connections', () => freePort()],
  ['takes connections and never answers', silentServer],
] as const) {
  test(`a webhook that ${what} during all moves: nothing stays unassigned, no creation fails`, {
    timeout: 240_000,
  }, async (t) => {
    const controlPlane = await startControlPlane();
    const { kubeconfigPath: kubeconfig, logFolder } = controlPlane;
    const transport = new Transport(loadKubeConfig({ kubeconfig }));
    const processes: RunningProcess[] = [];
    t.after(async () => {
      await Promise.all(processes.map((each) => each.stop('SIGKILL')));
      await transport.close();
      await controlPlane.stop();
    });
    const client = new KubeClient(transport);
    for (const name of [sharderNamespace, namespace]) await client.create(namespaces, namespaceNamed(name));
    await createRing(client, {
      metadata: { name: ring },
      spec: {
        resources: [
          { group: '', resource: 'secrets', controlledResources: [{ group: '', resource: 'configmaps' }] },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      },
    });
    const url = `https://127.0.0.1:${await unreachable(t)}`;
    const webhook = {
      server: { bindAddress: `127.0.0.1:${await freePort()}` },
      config: { clientConfig: { url } },
    };
    processes.push(await startSharder({ kubeconfigPath: kubeconfig, logFolder, webhook }));
    const addShard = async (name: string): Promise<RunningProcess> => {
      const flags = ['--lease-namespace=default', '--health-address=0', '--metrics-address=0'];
      const args = [operatorProgram, `--kubeconfig=${kubeconfig}`, `--shard-name=${name}`, ...flags];
      const shard = await startProcess({ name, args, logFile: join(logFolder, `${name}.log`) });
      processes.push(shard);
      return shard;
    };

    let created = 0;
    /** So many at once; each must be created, however the webhook does. */
    const createSome = async (count: number): Promise<void> => {
      const create = (): Promise<KubeObject> => {
        created += 1;
        const metadata = { namespace, name: `secret-${created}` };
        return client.create<KubeObject>(secrets, { metadata }, { timeoutMs: 30_000 });
      };
      const answers = await Promise.all(Array.from({ length: count }, create));
      for (const { metadata } of answers) assert.equal(metadata.labels, undefined, 'the webhook was reached');
    };
    const shardsOf = async (resource: typeof secrets): Promise<Map<string, string>> => {
      const shards = new Map<string, string>();
      for await (const { items } of client.list(resource, 'metadata', { namespace })) {
        for (const { metadata } of items) {
          shards.set(metadata.name.replace('checksums-', ''), metadata.labels?.[label] ?? 'none');
        }
      }
      return shards;
    };
    /** Every Secret on one of these shards, all of them used, and its ConfigMap with it. */
    const sharedOut = (...names: string[]): Promise<unknown> =>
      waitFor(
        `all objects on ${names.join(', ')}`,
        async () => {
          const [owners, children] = [await shardsOf(secrets), await shardsOf(configMaps)];
          const used = new Set(owners.values());
          return (
            owners.size === created &&
            used.symmetricDifference(new Set(names)).size === 0 &&
            [...owners].every(([name, shard]) => children.get(name) === shard)
          );
        },
        { timeoutMs: 60_000 },
      );
    /** Creates objects until `until` has come. */
    const underLoad = async (until: Promise<unknown>): Promise<void> => {
      const over = until.then(() => true);
      do await createSome(10);
      while (!(await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 200, false))])));
    };

    const first = await addShard('a');
    await addShard('b');
    await createSome(60);
    await sharedOut('a', 'b');
    const configuration = await controlPlane.kubectl(['get', 'mutatingwebhookconfigurations', '-o', 'yaml']);
    assert.ok(configuration.includes(url), 'the API server is to call the webhook');

    await t.test('a shard joins', async () => {
      const joins = addShard('c').then(() =>
        waitFor('objects on c', async () => [...(await shardsOf(secrets)).values()].includes('c')),
      );
      await underLoad(joins);
      await sharedOut('a', 'b', 'c');
    });
    await t.test('a shard is killed', async () => {
      await first.stop('SIGKILL');
      const gone = waitFor(
        'no object on a',
        async () => ![...(await shardsOf(secrets)).values()].includes('a'),
        { timeoutMs: 60_000 },
      );
      await underLoad(gone);
      await sharedOut('b', 'c');
      t.diagnostic(`${created} objects created`);
    });
  });
}
