import { parseQuantity } from '@controller-sharding/shared/author/quantity.ts';
import { pods } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { SuiteCluster } from './suite-cluster.ts';

/** What the one container of a pod uses. */
export interface Usage {
  pod: string;
  /** Thousandths of a CPU. */
  cpu: number;
  /** By which kubelet and kernel judge, in MiB. */
  workingSet: number;
  /** What its manifest requests, in MiB. */
  requested: number;
  /** Resident, but for pages of files; in MiB. */
  rss: number;
}

export const told = ({ pod, cpu, workingSet, requested, rss }: Usage): string =>
  `${pod}: ${cpu}m CPU, working set ${workingSet} of ${requested} MiB, RSS ${rss} MiB`;

interface PodMetrics {
  metadata: { name: string };
  /** Of the sample's end. */
  timestamp: string;
  containers: { usage: { cpu: string; memory: string } }[];
}

interface Pod extends KubeObject {
  spec: { containers: { resources: { requests?: { memory?: string } } }[] };
}

const SAMPLES_TIMEOUT_MS = 120_000;
/**
 * A sample covers some 10 s, and ended up to 26 s before it is told: kubelets measure every 10 to 15 s, and are asked every
 * 10 s. So the first four that are told may have begun before.
 */
const SAMPLES = 5;

/**
 * What so many pods of a namespace use from now on: CPU and working set by the metrics API, RSS by their kubelet. Waits for
 * samples that began after the call.
 */
export async function usageOf(cluster: SuiteCluster, namespace: string, count: number): Promise<Usage[]> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
  const seen = new Map<string, Set<string>>();
  const look = async (): Promise<PodMetrics[] | undefined> => {
    const { items }: { items: PodMetrics[] } = JSON.parse(await cluster.kubectl(`get --raw ${path}`));
    for (const { metadata, timestamp } of items) {
      seen.set(metadata.name, (seen.get(metadata.name) ?? new Set()).add(timestamp));
    }
    const known = items.filter(({ metadata: { name } }) => (seen.get(name)?.size ?? 0) >= SAMPLES);
    return known.length === count ? known : undefined;
  };
  const samples = await waitFor(`metrics of ${count} pods in ${namespace}`, look, {
    timeoutMs: SAMPLES_TIMEOUT_MS,
    everyMs: 1_000,
  });
  const rss = await rssOf(cluster, namespace);
  const { items } = await cluster.client.listPage<Pod>(pods, 'full', { namespace });
  return samples.map(({ metadata: { name }, containers: [container] }) => ({
    pod: name,
    cpu: Math.round(quantity(container?.usage.cpu) * 1_000),
    workingSet: mebibytes(quantity(container?.usage.memory)),
    requested: mebibytes(
      quantity(
        items.find(({ metadata }) => metadata.name === name)?.spec.containers[0]?.resources.requests?.memory,
      ),
    ),
    rss: mebibytes(rss.get(name) ?? Number.NaN),
  }));
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1_024 ** 2);

const quantity = (text: unknown): number => parseQuantity(text) ?? Number.NaN;

/** In bytes, by pod: what the kubelets of all nodes say. */
async function rssOf(cluster: SuiteCluster, namespace: string): Promise<Map<string, number>> {
  const nodes = await cluster.kubectl('get nodes -o jsonpath={.items[*].metadata.name}');
  const found = new Map<string, number>();
  for (const node of nodes.trim().split(' ')) {
    const text = await cluster.kubectl(`get --raw /api/v1/nodes/${node}/proxy/metrics/cadvisor`);
    for (const [, labels = '', value] of text.matchAll(/^container_memory_rss\{(.*)\} (\S+)/gm)) {
      const label = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
      if (label('namespace') === namespace && label('container') !== '')
        found.set(label('pod'), Number(value));
    }
  }
  return found;
}
