import { pods } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import type { SuiteCluster } from './suite-cluster.ts';

export interface Pod extends KubeObject {
  spec: { nodeName?: string };
  status?: {
    phase?: string;
    containerStatuses?: {
      restartCount: number;
      ready: boolean;
      lastState?: { terminated?: { exitCode: number } };
    }[];
  };
}

/** Those of a workload, but for those that are about to end. */
export async function podsOf(cluster: SuiteCluster, namespace: string, name: string): Promise<Pod[]> {
  const { items } = await cluster.client.listPage<Pod>(pods, 'full', {
    namespace,
    labelSelector: `app.kubernetes.io/name=${name}`,
  });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export const restarts = (pod: Pod): number => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;

export const isReady = (pod: Pod): boolean => pod.status?.containerStatuses?.[0]?.ready === true;
