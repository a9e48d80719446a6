import type { ApiClient } from '../kube/api-client.ts';
import { isForbidden, isNotFound } from '../kube/errors.ts';
import { deployments, pods, replicaSets, statefulSets } from '../kube/resources.ts';
import { controllerOf, type KubeObject, type ObjectRef, type Resource, refersTo } from '../kube/types.ts';

/** How many pods a workload is to have; `numbered`: with names that end in a number, the first of which is `start`. */
export interface WorkloadWish {
  replicas: number;
  numbered?: { start: number } | undefined;
}

/** Slots can't be had here. */
export class SlotError extends Error {
  override readonly name = 'SlotError';
  readonly code = 'SLOT';
}

interface Scaled extends KubeObject {
  spec?: { replicas?: number | null; ordinals?: { start?: number } | null };
}

interface Found {
  resource: Resource;
  ref: ObjectRef;
  uid: string;
}

const workloads: readonly Resource[] = [deployments, replicaSets, statefulSets];
const requestMs = 2_000;
const mostLevels = 4;

/** The workload that a pod belongs to: what stands at the top of its controllers. */
export class SlotWorkload {
  readonly #client: Pick<ApiClient, 'get'>;
  readonly #pod: ObjectRef;
  #top: Found | undefined;
  #last: WorkloadWish | undefined;

  constructor(client: Pick<ApiClient, 'get'>, pod: ObjectRef) {
    this.#client = client;
    this.#pod = pod;
  }

  /** As it was read last. */
  get last(): WorkloadWish | undefined {
    return this.#last;
  }

  /**
   * What the workload wants now; no pods at all once it is deleted. Throws SlotError when the pod has no workload that
   * could want slots, or that can't be read for want of rights.
   */
  async read(signal: AbortSignal): Promise<WorkloadWish> {
    this.#top ??= await this.#find(signal);
    const { resource, ref, uid } = this.#top;
    const workload = await this.#get(resource, ref, signal);
    this.#last = workload?.metadata.uid === uid ? wishOf(resource, workload) : { ...this.#last, replicas: 0 };
    return this.#last;
  }

  async #find(signal: AbortSignal): Promise<Found> {
    const { namespace } = this.#pod;
    let found: Found = { resource: pods, ref: this.#pod, uid: '' };
    for (let level = 0; level < mostLevels; level += 1) {
      const object = await this.#get(found.resource, found.ref, signal);
      const controller = object && controllerOf(object);
      if (controller === undefined) break;
      const resource = workloads.find((each) => refersTo(controller, each));
      if (resource === undefined) {
        throw new SlotError(
          `slots are for pods of Deployments, ReplicaSets and StatefulSets: ${found.resource.kind} ${found.ref.name} is controlled by ${controller.kind} ${controller.name}`,
        );
      }
      found = { resource, ref: { namespace, name: controller.name }, uid: controller.uid };
    }
    if (found.resource !== pods) return found;
    throw new SlotError(
      `slots are for pods of Deployments, ReplicaSets and StatefulSets: pod ${namespace}/${this.#pod.name} is none of them (set POD_NAME if that isn't this pod's name)`,
    );
  }

  async #get(resource: Resource, ref: ObjectRef, signal: AbortSignal): Promise<Scaled | undefined> {
    try {
      return await this.#client.get<Scaled>(resource, ref, { signal, timeoutMs: requestMs, priority: true });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isForbidden(error)) throw error;
      throw new SlotError(
        `slots need the right to get ${resource.resource} in namespace ${ref.namespace}: ${String(error)}`,
        { cause: error },
      );
    }
  }
}

function wishOf(resource: Resource, { metadata, spec }: Scaled): WorkloadWish {
  const replicas = metadata.deletionTimestamp === undefined ? (spec?.replicas ?? 1) : 0;
  if (resource !== statefulSets) return { replicas };
  return { replicas, numbered: { start: spec?.ordinals?.start ?? 0 } };
}
