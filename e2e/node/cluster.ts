import { join } from 'node:path';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { ApiProbe } from '../harness/api-probe.ts';
import { kubeconfigFile, type Layout, logFolder, urlOf } from '../harness/control-plane-daemons.ts';
import { writeIdentities, writeOwnKubeconfigs } from '../harness/control-plane-files.ts';
import { Keeper } from '../harness/keeper-client.ts';
import { freePort } from '../harness/ports.ts';
import { RunLogs } from '../harness/run-logs.ts';
import { waitFor } from '../harness/wait-for.ts';
import { removeLeftCgroups } from './cgroups.ts';
import { type Address, forward } from './forward.ts';
import { addressOf, apiSocket, FIRST } from './layout.ts';
import { type Cluster, ClusterNode } from './node.ts';
import { nodeBinaries } from './node-daemons.ts';
import { writeSharedIdentities } from './node-identities.ts';
import { cableCommand, plugCommands } from './node-network.ts';
import { writePauseImage } from './pause-image.ts';
import { checkMachine } from './requirements.ts';

const READY_TIMEOUT_MS = 120_000;
const EVERY_MS = 100;

const nodes: Resource = { group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false };

export interface ClusterOptions {
  /** Default 1. The first one has the control plane, too. */
  nodes?: number | undefined;
  /** OCI archives of images that pods can use. */
  images?: readonly string[] | undefined;
  /** Gets the line that says where logs are kept. Default: standard error. */
  report?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

interface Node extends KubeObject {
  spec: { taints?: object[] };
  status?: { conditions?: { type: string; status: string }[] };
}

/**
 * Starts a cluster with real nodes in namespaces of its own on this machine; resolves when they are ready for pods, after
 * 5 to 20 s. Nothing of it outlives this process. Root only; Linux only. Throws what `checkMachine` and `ensureBinaries`
 * throw, and when it doesn't come up: its logs are kept then.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<NodeCluster> {
  const { signal, report = (line) => void process.stderr.write(`${line}\n`) } = options;
  await checkMachine();
  const binaries = await ensureBinaries(nodeBinaries, { signal });
  await removeLeftCgroups();
  const keeper = Keeper.shared();
  const layout: Layout = {
    dir: await keeper.makeFolder('controller-sharding-'),
    apiServerPort: await freePort(),
  };
  const identities = await writeIdentities(layout.dir, [addressOf(FIRST)]);
  const cluster = new NodeCluster({ keeper, layout, identities, binaries }, report);
  try {
    await cluster.start(options);
    return cluster;
  } catch (error) {
    await cluster.stop({ failed: signal?.aborted !== true });
    throw error;
  }
}

/** A running cluster; made by `startCluster`. */
export class NodeCluster implements AsyncDisposable {
  /** Its user is allowed everything. */
  readonly kubeconfigPath: string;
  /** What is written here is kept with the logs of its daemons and pods when the run failed. */
  readonly logFolder: string;
  readonly #cluster: Cluster;
  readonly #logs: RunLogs;
  readonly #report: (line: string) => void;
  readonly #nodes: ClusterNode[] = [];
  #images: readonly string[] = [];
  #door: AsyncDisposable | undefined;
  #stopped: Promise<void> | undefined;

  constructor(cluster: Cluster, report: (line: string) => void) {
    this.#cluster = cluster;
    this.#report = report;
    this.kubeconfigPath = kubeconfigFile(cluster.layout, 'admin');
    this.logFolder = logFolder(cluster.layout);
    this.#logs = new RunLogs(this.logFolder);
  }

  get dir(): string {
    return this.#cluster.layout.dir;
  }

  /** Called once, by `startCluster`. */
  async start({ nodes: count = 1, images = [], signal }: ClusterOptions): Promise<void> {
    const { layout, identities, binaries } = this.#cluster;
    const pause = join(layout.dir, 'pause.tar');
    await writePauseImage(binaries.pause, pause);
    this.#images = [pause, ...images];
    await writeOwnKubeconfigs(layout, identities);
    await writeSharedIdentities(layout, identities);
    const first = await this.#startNode(FIRST);
    const door: Address = { host: '127.0.0.1', port: layout.apiServerPort };
    this.#door = await forward(door, { path: apiSocket(layout) });
    await this.#untilAnswered(['/readyz'], signal);
    await first.apiReady();
    await this.#untilReady(first, signal);
    const conditions = ['/api/v1/namespaces/default', '/api/v1/namespaces/default/serviceaccounts/default'];
    await this.#untilAnswered(conditions, signal);
    for (let number = FIRST + 1; number <= count; number++) await this.addNode(signal);
  }

  /** Starts one more node, with the same images, and resolves to its name when it is ready. */
  async addNode(signal?: AbortSignal): Promise<string> {
    const node = await this.#startNode(this.#nodes.length + 1);
    const [first] = this.#nodes;
    for (const command of plugCommands(node.layout, node.pid)) await first?.inNetwork(command);
    await node.apiReady();
    await this.#untilReady(node, signal);
    return node.layout.name;
  }

  /** Ends a node at once: its processes are gone, and the API server isn't told. It doesn't come back. */
  loseNode(name: string): Promise<void> {
    return this.#node(name).stop();
  }

  /** Separates a node from the others, or joins it again; its pods go on. */
  async setCable(name: string, state: 'up' | 'down'): Promise<void> {
    await this.#nodes[0]?.inNetwork(cableCommand(this.#node(name).layout, state));
  }

  /** Ends everything; the logs are kept when the run `failed`. */
  stop({ failed = false }: { failed?: boolean | undefined } = {}): Promise<void> {
    this.#stopped ??= this.#stop(failed);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(failed: boolean): Promise<void> {
    for (const node of this.#nodes.toReversed()) await node.stop();
    await this.#door?.[Symbol.asyncDispose]();
    this.#logs.close();
    try {
      if (failed) this.#report(`The logs of the cluster are kept in ${await this.#logs.keep()}`);
    } finally {
      await this.#cluster.keeper.removeFolder(this.dir);
    }
  }

  #node(name: string): ClusterNode {
    const found = this.#nodes.find(({ layout }) => layout.name === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  }

  async #startNode(number: number): Promise<ClusterNode> {
    const node = await ClusterNode.start(this.#cluster, number);
    this.#nodes.push(node);
    return node;
  }

  /** It has all images, and takes pods. */
  async #untilReady(node: ClusterNode, signal?: AbortSignal): Promise<void> {
    for (const image of this.#images) await node.load(image);
    const { name } = node.layout;
    const transport = new Transport(loadKubeConfig({ kubeconfig: this.kubeconfigPath }));
    const client = new KubeClient(transport);
    const isReady = async (): Promise<boolean> => {
      if (node.isLost) throw new Error(`${name} has ended`);
      const { items } = await client.listPage<Node>(nodes, 'full', {});
      const found = items.find(({ metadata }) => metadata.name === name);
      const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.status === 'True' && found?.spec.taints === undefined;
    };
    try {
      const options = { timeoutMs: READY_TIMEOUT_MS, everyMs: EVERY_MS, signal };
      await waitFor(`${name} to be ready`, isReady, options);
    } finally {
      await transport.close();
    }
  }

  async #untilAnswered(paths: readonly string[], signal?: AbortSignal): Promise<void> {
    const { layout, identities } = this.#cluster;
    const probe = new ApiProbe(urlOf(layout), identities.authority.certificate, identities.clients.admin);
    try {
      for (const path of paths) {
        await waitFor(path, () => probe.isOk(path), {
          timeoutMs: READY_TIMEOUT_MS,
          everyMs: EVERY_MS,
          signal,
        });
      }
    } finally {
      probe.close();
    }
  }
}
