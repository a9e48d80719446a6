import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import { deployments, pods, statefulSets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { waitFor } from '../harness/wait-for.ts';
import { nodeName } from './node.ts';

interface WorkloadStatus {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
}

interface WorkloadObject extends KubeObject {
  spec: object;
  status?: WorkloadStatus;
}

export interface WorkloadOptions {
  kind: 'Deployment' | 'StatefulSet';
  namespace: string;
  name: string;
  replicas: number;
  /** Label `program` of its pods. */
  program: string;
  strategy: object;
}

const timeoutMs = 60_000;

/** A Deployment or StatefulSet under its real controller. */
export class Workload {
  readonly #client: ApiClient;
  readonly #options: WorkloadOptions;
  readonly #resource: Resource;
  #restarts = 0;
  #replicas: number;

  private constructor(client: ApiClient, options: WorkloadOptions) {
    this.#client = client;
    this.#options = options;
    this.#replicas = options.replicas;
    this.#resource = options.kind === 'Deployment' ? deployments : statefulSets;
  }

  /** Resolves when all its pods are available. */
  static async create(client: ApiClient, options: WorkloadOptions): Promise<Workload> {
    const workload = new Workload(client, options);
    const { kind, namespace, name, replicas, program, strategy } = options;
    const labels = { app: name, program };
    const container = { name: 'operator', image: 'operator' };
    const spec = { nodeName, terminationGracePeriodSeconds: 30, containers: [container] };
    await client.create<WorkloadObject>(workload.#resource, {
      metadata: { namespace, name },
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels }, spec },
        ...(kind === 'Deployment' ? { strategy } : { updateStrategy: strategy, serviceName: name }),
      },
    });
    await workload.#untilUpdated();
    return workload;
  }

  /** As `kubectl rollout restart` does; resolves when the update is complete. */
  async restart(strategy?: object): Promise<void> {
    this.#restarts += 1;
    const annotations = { restarted: String(this.#restarts) };
    const spec = { template: { metadata: { annotations } }, ...(strategy && { strategy }) };
    const { namespace, name } = this.#options;
    const body = { spec };
    await this.#client.patchMetadata(this.#resource, { namespace, name }, { type: 'merge', body });
    await this.#untilUpdated();
  }

  /** Resolves when it has so many pods. */
  async scale(replicas: number): Promise<void> {
    this.#replicas = replicas;
    const { namespace, name } = this.#options;
    const body = { spec: { replicas } };
    await this.#client.patchMetadata(this.#resource, { namespace, name }, { type: 'merge', body });
    await this.#untilUpdated();
  }

  /** Resolves when the last of its pods is gone. */
  async delete(): Promise<void> {
    const { namespace, name } = this.#options;
    await this.#client.delete(this.#resource, { namespace, name });
    await waitFor(
      `the end of ${name}`,
      async () => {
        const left = await this.#client.listPage(pods, 'metadata', {
          namespace,
          labelSelector: `app=${name}`,
        });
        return left.items.length === 0;
      },
      { timeoutMs },
    );
  }

  async #untilUpdated(): Promise<void> {
    const { namespace, name } = this.#options;
    const replicas = this.#replicas;
    let last: WorkloadObject | undefined;
    await waitFor(
      `${name} to be updated`,
      async () => {
        last = await this.#client
          .get<WorkloadObject>(this.#resource, { namespace, name })
          .catch((error: unknown) => {
            if (isNotFound(error)) return undefined;
            throw error;
          });
        const { status = {}, metadata } = last ?? { metadata: { generation: 0 } };
        const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
        if (status.observedGeneration !== metadata.generation || counts.some((count) => count !== replicas))
          return false;
        const all = await this.#client.listPage(pods, 'metadata', {
          namespace,
          labelSelector: `app=${name}`,
        });
        return all.items.length === replicas;
      },
      { timeoutMs },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last?.status)}`, { cause: error });
    });
  }
}
