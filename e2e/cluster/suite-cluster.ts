import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { type NodeCluster, startCluster } from '../node/cluster.ts';
import { runCommand } from '../node/commands.ts';
import { productImage } from '../node/product-image.ts';

/** By these variables the suite runs on a cluster that is there already, whose nodes can have the image. */
const KUBECONFIG = process.env['CLUSTER_KUBECONFIG'];
const IMAGE = process.env['CLUSTER_IMAGE'];

/** Tests of what only nodes of our own can do are passed over elsewhere. */
export const isBorrowed = Boolean(KUBECONFIG);

/** Longer than anything of a cluster may take, but for what its tests say. */
const COMMAND_TIMEOUT_MS = 120_000;

/** A cluster under test. */
export class SuiteCluster {
  readonly client: KubeClient;
  /** `repository:tag` */
  readonly image: string;
  readonly kubeconfig: string;
  /** Temporary. */
  readonly folder: string;
  /** Undefined when it is borrowed. */
  readonly own: NodeCluster | undefined;
  readonly #kubectl: string;

  constructor(
    parts: Pick<SuiteCluster, 'client' | 'image' | 'kubeconfig' | 'folder' | 'own'>,
    kubectl: string,
  ) {
    this.client = parts.client;
    this.image = parts.image;
    this.kubeconfig = parts.kubeconfig;
    this.folder = parts.folder;
    this.own = parts.own;
    this.#kubectl = kubectl;
  }

  /** The folder of kubectl. */
  get programs(): string {
    return dirname(this.#kubectl);
  }

  /** Its words are split at blanks. */
  kubectl(words: string, input?: string): Promise<string> {
    return runCommand(this.#kubectl, words.split(' '), {
      input,
      env: { KUBECONFIG: this.kubeconfig, HOME: this.folder },
      cwd: this.folder,
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
  }
}

export type Step = (name: string, work: () => Promise<void>) => Promise<void>;

/** Starts or borrows a cluster, and tells a story on it: each step is a test of its own, and the first that fails ends it. */
export async function onCluster(
  t: TestContext,
  options: { nodes: number; images?: readonly string[] },
  story: (cluster: SuiteCluster, step: Step) => Promise<void>,
): Promise<void> {
  const { kubectl } = await ensureBinaries(['kubectl']);
  const { own, kubeconfig, image } = await surroundings(options);
  const folder = await mkdtemp(join(tmpdir(), 'controller-sharding-suite-'));
  const transport = new Transport(loadKubeConfig({ kubeconfig }));
  const client = new KubeClient(transport);
  const step: Step = async (name, work) => {
    let failure: unknown;
    await t.test(name, async () => {
      await work().catch((error: unknown) => {
        failure = error;
        throw error;
      });
    });
    if (failure !== undefined) throw new Error(`${name}: failed`, { cause: failure });
  };
  let failed = true;
  try {
    await story(new SuiteCluster({ client, image, kubeconfig, folder, own }, kubectl), step);
    failed = false;
  } finally {
    await transport.close();
    await own?.stop({ failed });
    await rm(folder, { recursive: true });
  }
}

async function surroundings({
  nodes,
  images = [],
}: {
  nodes: number;
  images?: readonly string[];
}): Promise<Pick<SuiteCluster, 'own' | 'kubeconfig' | 'image'>> {
  if (KUBECONFIG) {
    if (!IMAGE) throw new Error('CLUSTER_KUBECONFIG needs CLUSTER_IMAGE, an image that its nodes can have');
    return { own: undefined, kubeconfig: KUBECONFIG, image: IMAGE };
  }
  const { name, archive } = await productImage();
  const own = await startCluster({ nodes, images: [archive, ...images] });
  return { own, kubeconfig: own.kubeconfigPath, image: name };
}
