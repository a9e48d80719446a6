import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { createSamples } from '@controller-sharding/operator/webhosting/samples/create.ts';
import { type Samples, samples } from '@controller-sharding/operator/webhosting/samples/samples.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { leases, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { drainLabel, sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { startProcess } from '../harness/processes.ts';
import { waitFor } from '../harness/wait-for.ts';
import { namespaceNamed } from '../main-job/cluster/objects.ts';
import { ChangeProbe, isReady } from './change-probe.ts';
import { Kubelet } from './kubelet.ts';
import { LabelWrites } from './label-writes.ts';
import { keepNode } from './node.ts';
import { overlaps } from './overlaps.ts';
import type { Program } from './pod-process.ts';
import { Workload } from './workload.ts';

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Of the operator. */
const namespace = 'rolling';
const ring = resources.operatorName;
/** Without the endpoints of the Websites' Services, which have no pods: the machine has enough to do. */
const controllerManagerArgs = [
  '--controllers=*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller',
];
const changesPerSecond = 15;
const restMs = 3_000;

/** What an update did, while objects were changed all the time. */
export interface UpdateFigures {
  seconds: number;
  labelWrites: number;
  changes: number;
  medianMs: number;
  /** The longest that a change waited until it was reconciled. */
  longestMs: number;
}

/**
 * The real Deployment and StatefulSet controllers, pods that are processes of the webhosting operator, a sharder, and
 * Websites without pods.
 */
export class RollingWorld {
  readonly client: KubeClient;
  readonly #controlPlane: ControlPlane;
  readonly #transport: Transport;
  readonly #writes = new LabelWrites(ring);
  readonly #sites: Informer<resources.Website>;
  readonly #children: ReadonlyArray<Informer<KubeObject>>;
  readonly #probe: ChangeProbe;
  readonly #traces = new Set<string>();
  readonly #stop = new AbortController();
  readonly #websites: number;
  readonly #made: Samples;
  #kubelet: Kubelet | undefined;
  #succeeded = false;

  private constructor(controlPlane: ControlPlane, transport: Transport, websites: number) {
    this.#controlPlane = controlPlane;
    this.#transport = transport;
    this.#websites = websites;
    const client = new KubeClient(transport);
    this.client = client;
    const options = { client, clock, logger };
    this.#sites = new Informer({ ...options, resource: resources.websites, form: 'full' });
    this.#children = resources.childResources.map(
      (resource) => new Informer({ ...options, resource, form: 'metadata', labelSelector: 'website' }),
    );
    this.#made = samples({ websites, namespaces: 1, themes: 2, seed: 1, skipWorkload: true });
    const themes = this.#made.themes.map(({ metadata }) => metadata.name);
    this.#probe = new ChangeProbe({ client, perSecond: changesPerSecond, themes });
    for (const informer of [this.#sites, ...this.#children])
      informer.addHandler({ updated: this.#writes.updated });
    this.#sites.addHandler({ added: this.#probe.seen, updated: (_old, now) => this.#probe.seen(now) });
  }

  /** Everything ends with the test. */
  static async start(t: TestContext, websites: number): Promise<RollingWorld> {
    const controlPlane = await startControlPlane({ controllerManager: true, controllerManagerArgs });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }), { clock });
    const world = new RollingWorld(controlPlane, transport, websites);
    t.after(async () => {
      await world.#end();
      await transport.close();
      await controlPlane.stop({ failed: !world.#succeeded });
    });
    await world.#prepare();
    return world;
  }

  /** A workload of the operator; resolves when its pods are ready, and every Website is so on one of them. */
  async run(
    kind: 'Deployment' | 'StatefulSet',
    names: 'slots' | 'random',
    strategy: object,
  ): Promise<Workload> {
    const name = `${kind.toLowerCase()}-${names}`;
    const options = { kind, namespace, name, replicas: 3, program: names, strategy };
    const workload = await Workload.create(this.client, options);
    await this.atRest();
    return workload;
  }

  /**
   * Every Website is Ready, all are on one of so many shards with what belongs to them, none is on the move, and nothing
   * more is to be: between what is moved away from old shards and the levelling that follows, all looks at rest, too.
   */
  async atRest(shardCount = 3): Promise<void> {
    await waitFor(
      `every Website to be Ready on one of ${shardCount} shards`,
      () => {
        const objects = [this.#sites, ...this.#children].flatMap(({ store }) => [...store.list()]);
        const shards = objects.map(({ metadata: { labels } }) =>
          labels?.[drainLabel(ring)] === undefined ? labels?.[shardLabel(ring)] : undefined,
        );
        const complete = objects.length === (1 + resources.childResources.length) * this.#websites;
        const served = this.#sites.store.list().every((site) => isReady(site, site.metadata.generation ?? 0));
        const rests =
          complete && served && new Set(shards).size === shardCount && !shards.includes(undefined);
        return rests && this.#writes.quietMs >= restMs;
      },
      { timeoutMs: 120_000 },
    );
  }

  /** Slots that are held by a pod, in their order. */
  async heldSlots(): Promise<string[]> {
    const { items } = await this.client.listPage<Lease>(leases, 'full', { namespace });
    return items
      .filter((lease) => holderOf(lease) === lease.metadata.name)
      .map(({ metadata }) => metadata.name)
      .toSorted();
  }

  /** Does something while Websites are changed, and says what became of it. */
  async measure(act: () => Promise<void>): Promise<UpdateFigures> {
    const changing = new AbortController();
    this.#probe.take();
    const changes = this.#probe.run(changing.signal);
    await clock.sleep(restMs);
    const writesBefore = this.#writes.count;
    const began = performance.now();
    let seconds = 0;
    try {
      await act();
      seconds = Math.round((performance.now() - began) / 100) / 10;
      // Spares, and what was held off, would show now.
      await clock.sleep(restMs);
    } finally {
      changing.abort();
      await changes;
    }
    await waitFor('the last changes', () => this.#probe.open.length === 0, { timeoutMs: 60_000 }).catch(
      (error: unknown) => {
        throw new Error(`never reconciled: ${this.#probe.open.slice(0, 5).join(', ')}`, { cause: error });
      },
    );
    return { seconds, labelWrites: this.#writes.count - writesBefore, ...this.#probe.take() };
  }

  /** The logs need not be kept. */
  succeeded(): void {
    this.#succeeded = true;
  }

  /** Work of two processes on one object at the same time, in all that has happened so far. Throws what went wrong else. */
  async overlaps(): Promise<{ works: number; found: string[] }> {
    const errors = this.#kubelet?.errors ?? [];
    if (errors.length > 0) throw new AggregateError(errors, 'the kubelet had errors');
    return overlaps([...this.#traces]);
  }

  async #prepare(): Promise<void> {
    const { client } = this;
    const { kubeconfigPath: kubeconfig, logFolder } = this.#controlPlane;
    const { signal } = this.#stop;
    await mkdir(join(logFolder, 'pods'), { recursive: true });
    await this.#install();
    for (const name of [sharderNamespace, namespace]) await client.create(namespaces, namespaceNamed(name));
    await keepNode(client, signal);
    await startProcess({
      name: 'sharder',
      args: [
        file('sharder/cli/main.ts'),
        'run',
        `--kubeconfig=${kubeconfig}`,
        '--webhook=false',
        '--health-address=0',
        '--metrics-address=0',
      ],
      env: { NODE_ENV: 'production' },
      logFile: join(logFolder, 'sharder.log'),
      ready: { line: /"msg":"leading"/ },
      signal,
    });
    this.#kubelet = new Kubelet({ client, transport: this.#transport }, namespace, (label) =>
      this.#program(label === 'slots'),
    );
    for (const informer of [this.#sites, ...this.#children]) {
      void informer.run(signal);
      await informer.waitForSync(signal);
    }
    await createSamples(client, this.#made, signal);
  }

  /** What an installation has beside the workloads. */
  async #install(): Promise<void> {
    const kubectl = (...args: string[]): Promise<string> => this.#controlPlane.kubectl(args);
    const manifest = (name: string): string => `--filename=${file(`manifests/operators/webhosting/${name}`)}`;
    await kubectl('apply', `--kustomize=${file('manifests/crds')}`);
    await kubectl('apply', manifest('website.yaml'), manifest('theme.yaml'));
    await kubectl('wait', '--for=condition=Established', 'crd', '--all');
    await kubectl('apply', manifest('ring.yaml'));
  }

  #program(slots: boolean): Program {
    const { kubeconfigPath: kubeconfig, logFolder } = this.#controlPlane;
    const output = (name: string, end: string): string => join(logFolder, 'pods', `${name}.${end}`);
    return {
      args: ({ name, healthPort }) => {
        this.#traces.add(output(name, 'trace'));
        return [
          file('operator/webhosting/main.ts'),
          `--kubeconfig=${kubeconfig}`,
          `--lease-namespace=${namespace}`,
          `--health-address=127.0.0.1:${healthPort}`,
          '--metrics-address=0',
          `--trace-file=${output(name, 'trace')}`,
          slots ? '--shard-slots' : `--shard-name=${name}`,
        ];
      },
      env: { NODE_ENV: 'production' },
      logFile: (name) => output(name, 'log'),
    };
  }

  async #end(): Promise<void> {
    await this.#kubelet?.stop();
    this.#stop.abort();
  }
}
