import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Layout } from '../harness/control-plane-daemons.ts';
import type { Identities } from '../harness/control-plane-files.ts';
import { Daemon } from '../harness/daemon.ts';
import type { Keeper } from '../harness/keeper-client.ts';
import { waitFor } from '../harness/wait-for.ts';
import { makeCgroup, removeCgroup } from './cgroups.ts';
import { programPath, runCommand } from './commands.ts';
import { type NodeLayout, nodeLayout } from './layout.ts';
import { type NodeBinaries, nodeDaemons, writeDaemons } from './node-daemons.ts';
import { inNode, nodeFiles } from './node-files.ts';
import { writeNodeIdentity } from './node-identities.ts';
import { networkScript } from './node-network.ts';

const INIT = fileURLToPath(new URL('./init.sh', import.meta.url));
const NAMESPACES = ['--net', '--mount', '--pid', '--ipc', '--uts', '--fork', '--mount-proc', '--kill-child'];
const STOP_GRACE_MS = 5_000;
const START_TIMEOUT_MS = 30_000;

/** What nodes of one cluster have in common. */
export interface Cluster {
  keeper: Keeper;
  layout: Layout;
  identities: Identities;
  binaries: NodeBinaries;
}

/** A node: a set of namespaces with daemons in it. */
export class ClusterNode {
  readonly layout: NodeLayout;
  readonly #binaries: NodeBinaries;
  readonly #daemon: Daemon;
  #pid = 0;

  private constructor(layout: NodeLayout, { keeper, binaries }: Cluster) {
    this.layout = layout;
    this.#binaries = binaries;
    this.#daemon = new Daemon(keeper, {
      name: layout.name,
      command: 'unshare',
      args: [...NAMESPACES, '--propagation=private', 'bash', INIT, layout.dir, layout.logs],
      env: { PATH: programPath, HOME: layout.dir },
      cwd: layout.dir,
      logFile: join(layout.logs, 'init.log'),
    });
  }

  /** Resolves when its pid 1 runs. What waits for the API server starts after `apiReady`. */
  static async start(cluster: Cluster, number: number): Promise<ClusterNode> {
    const node = nodeLayout(cluster.layout, number);
    await mkdir(node.logs, { recursive: true });
    await mkdir(node.dir, { recursive: true });
    const files = { ...nodeFiles(cluster.layout, node, cluster.binaries), 'network.sh': networkScript(node) };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(inNode(node, name)), { recursive: true });
      await writeFile(inNode(node, name), text);
    }
    await writeNodeIdentity(cluster.layout, node, cluster.identities);
    await writeDaemons(node, nodeDaemons(cluster.layout, node, cluster.binaries));
    await makeCgroup(node.cgroup);
    const started = new ClusterNode(node, cluster);
    await started.#daemon.start();
    await started.#findPid();
    return started;
  }

  /** Of its pid 1. */
  get pid(): number {
    return this.#pid;
  }

  /** Its pid 1 has ended. */
  get isLost(): boolean {
    return this.#daemon.pid === undefined;
  }

  async apiReady(): Promise<void> {
    await writeFile(inNode(this.layout, 'api-ready'), '');
  }

  /** Runs a command in the node's network. */
  inNetwork([program = '', ...args]: readonly string[]): Promise<string> {
    return runCommand('nsenter', [`--target=${this.#pid}`, '--net', '--', program, ...args]);
  }

  /** Puts the images of an OCI archive on the node. */
  async load(archive: string): Promise<void> {
    const ctr = (...args: string[]): Promise<string> =>
      runCommand(this.#binaries.ctr, [`--address=${this.layout.socket}`, '--namespace=k8s.io', ...args]);
    const isReady = (): Promise<boolean> =>
      ctr('version').then(
        () => true,
        () => false,
      );
    await waitFor('containerd', isReady, { timeoutMs: START_TIMEOUT_MS });
    await ctr('images', 'import', archive);
  }

  /** Ends it at once, as when its power is cut. */
  async stop(): Promise<void> {
    if (this.#pid > 0) {
      try {
        process.kill(this.#pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    await this.#daemon.stop('SIGTERM', STOP_GRACE_MS);
    await removeCgroup(this.layout.cgroup);
  }

  async #findPid(): Promise<void> {
    this.#pid = await waitFor(`pid 1 of ${this.layout.name}`, async () => {
      const outer = this.#daemon.pid;
      if (outer === undefined) {
        throw new Error(await readFile(join(this.layout.logs, 'init.log'), 'utf8'));
      }
      const children = await readFile(`/proc/${outer}/task/${outer}/children`, 'utf8').catch(() => '');
      return Number(children.trim()) || undefined;
    });
  }
}
