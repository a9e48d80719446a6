import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { configMaps, namespaces, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { silentLogger as logger } from '@controller-sharding/shared/runtime/logger.ts';
import { drainLabel, sharderNamespace, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { startProcess } from '../harness/processes.ts';
import { createRing } from '../harness/sharder.ts';
import { waitFor } from '../harness/wait-for.ts';
import { checksumRing, namespaceNamed, ringName, secretNamed } from '../main-job/cluster/objects.ts';
import { ChangeProbe } from './change-probe.ts';
import { Kubelet } from './kubelet.ts';
import { LabelWrites } from './label-writes.ts';
import { keepNode } from './node.ts';
import { overlaps } from './overlaps.ts';
import type { Program } from './pod-process.ts';
import { Workload } from './workload.ts';

const program = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const namespace = 'rolling';
const changesPerSecond = 25;
const createdAtOnce = 20;
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

/** The real Deployment and StatefulSet controllers, pods that are processes of the checksum operator, and a sharder. */
export class RollingWorld {
  readonly client: KubeClient;
  readonly #controlPlane: ControlPlane;
  readonly #transport: Transport;
  readonly #writes = new LabelWrites(ringName);
  readonly #mains: Informer<KubeObject>;
  readonly #controlled: Informer<KubeObject>;
  readonly #probe: ChangeProbe;
  readonly #traces = new Set<string>();
  readonly #stop = new AbortController();
  readonly #objects: number;
  #kubelet: Kubelet | undefined;
  #succeeded = false;

  private constructor(controlPlane: ControlPlane, transport: Transport, names: readonly string[]) {
    this.#controlPlane = controlPlane;
    this.#transport = transport;
    this.#objects = names.length;
    const client = new KubeClient(transport);
    this.client = client;
    const options = { client, clock, logger, namespace };
    this.#mains = new Informer({ ...options, resource: secrets, form: 'metadata' });
    this.#controlled = new Informer({ ...options, resource: configMaps, form: 'full' });
    this.#probe = new ChangeProbe({ client, namespace, names, perSecond: changesPerSecond });
    for (const informer of [this.#mains, this.#controlled])
      informer.addHandler({ updated: this.#writes.updated });
    this.#controlled.addHandler({ added: this.#probe.seen, updated: (_old, now) => this.#probe.seen(now) });
  }

  /** Everything ends with the test. */
  static async start(t: TestContext, objects: number): Promise<RollingWorld> {
    const controlPlane = await startControlPlane({ controllerManager: true });
    const transport = new Transport(loadKubeConfig({ kubeconfig: controlPlane.kubeconfigPath }), { clock });
    const names = Array.from({ length: objects }, (_, index) => `s-${index}`);
    const world = new RollingWorld(controlPlane, transport, names);
    t.after(async () => {
      await world.#end();
      await transport.close();
      await controlPlane.stop({ failed: !world.#succeeded });
    });
    await world.#prepare(names);
    return world;
  }

  /** A workload of the operator; resolves when its pods are ready, and every object has a shard. */
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

  /** Every Secret has its ConfigMap, all are on one of three shards, and none is on the move. */
  async atRest(): Promise<void> {
    await waitFor(
      'every object to be on one of three shards',
      () => {
        const objects = [...this.#mains.store.list(), ...this.#controlled.store.list()].filter(
          ({ metadata }) => metadata.name !== 'kube-root-ca.crt',
        );
        const shards = objects.map(({ metadata: { labels } }) =>
          labels?.[drainLabel(ringName)] === undefined ? labels?.[shardLabel(ringName)] : undefined,
        );
        const complete = objects.length === 2 * this.#objects;
        return complete && new Set(shards).size === 3 && !shards.includes(undefined);
      },
      { timeoutMs: 60_000 },
    );
  }

  /** Does something while objects are changed, and says what became of it. */
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
    await waitFor('the last changes', () => this.#probe.open.length === 0, { timeoutMs: 15_000 }).catch(
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

  async #prepare(names: readonly string[]): Promise<void> {
    const { client } = this;
    const { kubeconfigPath: kubeconfig, logFolder } = this.#controlPlane;
    const { signal } = this.#stop;
    await mkdir(join(logFolder, 'pods'), { recursive: true });
    for (const name of [sharderNamespace, namespace]) await client.create(namespaces, namespaceNamed(name));
    await createRing(client, checksumRing(namespace));
    await keepNode(client, signal);
    await startProcess({
      name: 'sharder',
      args: [
        program('sharder/cli/main.ts'),
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
    for (const informer of [this.#mains, this.#controlled]) {
      void informer.run(signal);
      await informer.waitForSync(signal);
    }
    const left = names.values();
    const create = async (): Promise<void> => {
      for (const name of left) await client.create(secrets, secretNamed(namespace, name));
    };
    await Promise.all(Array.from({ length: createdAtOnce }, create));
  }

  #program(slots: boolean): Program {
    const { kubeconfigPath: kubeconfig, logFolder } = this.#controlPlane;
    const file = (name: string, end: string): string => join(logFolder, 'pods', `${name}.${end}`);
    return {
      args: ({ name, healthPort }) => {
        this.#traces.add(file(name, 'trace'));
        return [
          program('operator/checksum/main.ts'),
          `--kubeconfig=${kubeconfig}`,
          `--ring=${ringName}`,
          `--lease-namespace=${namespace}`,
          `--health-address=127.0.0.1:${healthPort}`,
          '--metrics-address=0',
          `--trace-file=${file(name, 'trace')}`,
          slots ? '--shard-slots' : `--shard-name=${name}`,
        ];
      },
      env: { NODE_ENV: 'production' },
      logFile: (name) => file(name, 'log'),
    };
  }

  async #end(): Promise<void> {
    await this.#kubelet?.stop();
    this.#stop.abort();
  }
}
