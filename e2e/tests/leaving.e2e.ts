import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import {
  configMaps,
  controllerRings,
  events,
  leases,
  namespaces,
  secrets,
} from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { LeaseLostError } from '@controller-sharding/shared/lease/held-lease.ts';
import type { Lease } from '@controller-sharding/shared/lease/lease.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import {
  forcedAnnotation,
  resourcesAnnotation,
  sharderHolder,
} from '@controller-sharding/shared/sharding/contract.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { acquireShardLease } from '@controller-sharding/shared/sharding/shard-lease.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { type RunningProcess, startProcess } from '../harness/processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { checksumRing, ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { Made, prepareCluster } from '../main-job/cluster/prepare.ts';
import { drainOf, labelOf } from './test-ring.ts';

const namespace = 'leaving';
const secretCount = 30;
const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A control plane with a ring of Secrets and ConfigMaps, and processes that end with the test. */
class Cluster {
  readonly client: KubeClient;
  readonly #controlPlane: ControlPlane;
  readonly #t: TestContext;

  private constructor(t: TestContext, controlPlane: ControlPlane, client: KubeClient) {
    this.#t = t;
    this.#controlPlane = controlPlane;
    this.client = client;
  }

  static async start(t: TestContext): Promise<Cluster> {
    const controlPlane = await startControlPlane();
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }), { clock });
    const client = new KubeClient(transport);
    t.after(async () => {
      await transport.close();
      await controlPlane.stop();
    });
    await prepareCluster(client, new Made(client), namespace, AbortSignal.timeout(30_000));
    return new Cluster(t, controlPlane, client);
  }

  sharder(...flags: string[]): Promise<RunningProcess> {
    return this.#run('sharder', 'sharder/cli/main.ts', ['run', '--webhook=false', ...flags]);
  }

  shard(name: string): Promise<RunningProcess> {
    const flags = [`--ring=${ringName}`, `--shard-name=${name}`, `--lease-namespace=${namespace}`];
    return this.#run(name, 'operator/checksum/main.ts', flags);
  }

  async #run(name: string, path: string, flags: string[]): Promise<RunningProcess> {
    const { kubeconfigPath, logFolder } = this.#controlPlane;
    const common = [`--kubeconfig=${kubeconfigPath}`, '--health-address=0', '--metrics-address=0'];
    const args = [program(path), ...flags, ...common];
    const running = await startProcess({ name, args, logFile: join(logFolder, `${name}.log`) });
    this.#t.after(() => running.stop('SIGKILL'));
    return running;
  }

  async createSecrets(): Promise<void> {
    for (let number = 0; number < secretCount; number += 1) {
      await this.client.create(secrets, secretNamed(namespace, `s${number}`));
    }
  }

  async objects(): Promise<KubeObject[]> {
    const found: KubeObject[] = [];
    for (const resource of [secrets, configMaps]) {
      for await (const { items } of this.client.list(resource, 'metadata', { namespace })) {
        found.push(...items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt'));
      }
    }
    return found;
  }

  /** Every Secret with its ConfigMap on these shards, and nothing on the move. */
  async untilSpreadOver(...shards: string[]): Promise<void> {
    await this.untilObjects(`all objects on ${shards.join(' and ')}`, (objects) => {
      const names = new Set(objects.map((object) => labelOf(object) ?? ''));
      const atRest = objects.every((object) => drainOf(object) === undefined);
      const areThese = names.size === shards.length && shards.every((shard) => names.has(shard));
      return atRest && areThese && objects.length === 2 * secretCount;
    });
  }

  async untilObjects(what: string, holds: (objects: KubeObject[]) => boolean): Promise<void> {
    await waitFor(what, async () => holds(await this.objects()), { timeoutMs: 60_000, everyMs: 100 });
  }

  async changeRing(spec: ControllerRing['spec']): Promise<void> {
    const patch = { type: 'merge' as const, body: { spec } };
    await this.client.patch(controllerRings, { name: ringName }, patch);
  }

  async recorded(): Promise<string | undefined> {
    const ring = await this.client.getMetadata(controllerRings, { name: ringName });
    return ring.metadata.annotations?.[resourcesAnnotation];
  }

  async eventsOf(reason: string): Promise<number> {
    const { items } = await this.client.listPage<KubeObject & { reason?: string }>(events, 'full', {
      namespace,
    });
    return items.filter((event) => event.reason === reason).length;
  }
}

test('a resource and a namespace leave the ring and come back, with live shards', {
  timeout: 240_000,
}, async (t) => {
  const cluster = await Cluster.start(t);
  await cluster.sharder();
  await cluster.shard('a');
  await cluster.shard('b');
  await cluster.createSecrets();
  await cluster.untilSpreadOver('a', 'b');
  const { resources = [] } = checksumRing(namespace).spec ?? {};
  const pairs = new Map<string, boolean>();
  /** Sees, at each look, that no Secret is without its label while its ConfigMap has one. */
  const untilUnlabelled = (): Promise<void> =>
    cluster.untilObjects('no labels', (objects) => {
      const secretOf = new Map(objects.map((object) => [object.metadata.uid, object]));
      for (const object of objects) {
        const owner = secretOf.get(object.metadata.ownerReferences?.[0]?.uid);
        if (owner === undefined) continue;
        // Lists of two kinds are not of one moment; the Secrets' is the older one.
        if (labelOf(owner) === undefined && labelOf(object) !== undefined)
          pairs.set(object.metadata.name, false);
      }
      return objects.every((object) => labelOf(object) === undefined && drainOf(object) === undefined);
    });

  await t.test('a resource that is removed loses its labels', async () => {
    await cluster.changeRing({ resources: [] });
    await untilUnlabelled();
    await waitFor('the record to be dropped', async () => (await cluster.recorded()) === '[]', {
      timeoutMs: 30_000,
    });
  });

  await t.test('it comes back', async () => {
    await cluster.changeRing({ resources });
    await cluster.untilSpreadOver('a', 'b');
  });

  await t.test('so does a namespace that is not selected for a while', async () => {
    const label = (mine: string): Promise<KubeObject> =>
      cluster.client.patch(
        namespaces,
        { name: namespace },
        {
          type: 'merge',
          body: { metadata: { labels: { mine } } },
        },
      );
    await label('yes');
    // Merged with the selector that is there: both have to hold.
    await cluster.changeRing({ namespaceSelector: { matchLabels: { mine: 'yes' } } });
    await label('no');
    await untilUnlabelled();
    await label('yes');
    await cluster.untilSpreadOver('a', 'b');
  });

  assert.deepEqual([...pairs.keys()], [], 'ConfigMaps that kept their label longer than their Secret');
});

test('a shard that ignores drains is told of, and ends when its Lease is taken', {
  timeout: 240_000,
}, async (t) => {
  const cluster = await Cluster.start(t);
  const { client } = cluster;
  const durationSeconds = 6;
  const { held } = await acquireShardLease(
    {
      client,
      clock,
      logger: silentLogger,
      ring: ringName,
      shard: 'deaf',
      namespace,
      identity: 'deaf-1',
      durationSeconds,
      nameInUse: () => Promise.resolve(false),
    },
    AbortSignal.timeout(10_000),
  );
  const stop = new AbortController();
  t.after(() => stop.abort());
  let lostAt: number | undefined;
  const keeping = held.keep(stop.signal).catch((error: unknown) => {
    lostAt = clock.monotonic();
    return error;
  });
  const patient = await cluster.sharder('--drain-timeout=5s');
  await cluster.createSecrets();
  await cluster.untilObjects('all on the deaf shard', (objects) =>
    objects.every((object) => labelOf(object) === 'deaf'),
  );
  await cluster.shard('good');

  await t.test('Events on the objects and on its Lease tell of it, and nothing is taken', async () => {
    await waitFor('Events', async () => (await cluster.eventsOf('DrainOverdue')) === secretCount / 2, {
      timeoutMs: 30_000,
    });
    assert.equal(await cluster.eventsOf('DrainsOverdue'), 1);
    await clock.sleep(3_000);
    assert.equal(lostAt, undefined);
    const objects = await cluster.objects();
    assert.ok(objects.every((object) => labelOf(object) === 'deaf'));
  });

  await t.test('so configured, its Lease is taken, and its objects move a full duration later', async () => {
    await patient.stop();
    await cluster.sharder('--drain-timeout=5s', '--take-over-overdue');
    assert.ok((await keeping) instanceof LeaseLostError);
    const { metadata, spec } = await client.get<Lease>(leases, { namespace, name: 'deaf' });
    assert.equal(spec?.holderIdentity, sharderHolder);
    assert.equal(metadata.annotations?.[forcedAnnotation], 'true');
    assert.ok((await cluster.objects()).every((object) => labelOf(object) === 'deaf'));
    await cluster.untilObjects('the first to move', (objects) =>
      objects.some((object) => labelOf(object) === 'good'),
    );
    const sinceLostMs = clock.monotonic() - (lostAt ?? 0);
    // It noticed within a renewal of having lost it.
    const renewalMs = (durationSeconds * 1_000) / 7.5;
    assert.ok(sinceLostMs >= durationSeconds * 1_000 - renewalMs - 200, `moved ${sinceLostMs} ms after`);
    await cluster.untilSpreadOver('good');
    assert.equal(await cluster.eventsOf('TakenOverByForce'), 1);
  });
});
