import type { Outcome } from '../controller/outcome.ts';
import type { ApiClient } from '../kube/api-client.ts';
import { isNotFound } from '../kube/errors.ts';
import { type KubeObject, objectKey, type Resource, resourceName } from '../kube/types.ts';
import { drainLabel } from './contract.ts';
import type { Above, ControlledObjects } from './controlled-objects.ts';
import type { Controlled } from './controlled-trees.ts';
import type { FencedWriter } from './fenced-writer.ts';
import type { HandOverMemory } from './hand-over-memory.ts';
import type { HandOverQueue } from './hand-over-queue.ts';
import type { Holds } from './holds.ts';
import type { ShardCaches } from './shard-caches.ts';
import type { ShardObserver } from './shard-event.ts';
import type { Registered } from './shard-work.ts';

export interface ShardReconcilesOptions {
  client: Pick<ApiClient, 'getMetadata'>;
  ring: string;
  observer: ShardObserver;
  caches: ShardCaches;
  controlled: ControlledObjects;
  memory: HandOverMemory;
  holds: Holds;
  writer: FencedWriter;
  handOvers: HandOverQueue;
  /** The object may have left the shard. */
  ended(resource: Resource, key: string, uid: string): void;
}

/**
 * The reconciles of all controllers. One begins only while its object, and all that controls it, is this shard's, not
 * to be handed over, and not being handed over; what controls it is not handed over before it has ended.
 */
export class ShardReconciles {
  readonly #options: ShardReconcilesOptions;
  readonly #registered: Registered[] = [];

  constructor(options: ShardReconcilesOptions) {
    this.#options = options;
  }

  add(registered: Registered): void {
    this.#registered.push(registered);
  }

  /** To all that reconcile it, or what it controls. */
  enqueue(resource: Resource, object: KubeObject): void {
    const name = resourceName(resource);
    for (const { definition, controller } of this.#registered) {
      if (resourceName(definition.for.resource) === name) controller.enqueue(objectKey(object.metadata));
    }
    this.enqueueBelow(object);
  }

  enqueueBelow(object: KubeObject): void {
    const { controlled } = this.#options;
    const mains = this.#registered.map(({ definition }) => definition.for.resource);
    if (!mains.some((main) => controlled.isOwned(main))) return;
    for (const child of controlled.cached(object.metadata.uid ?? '')) {
      for (const { definition, controller } of this.#registered) {
        if (resourceName(definition.for.resource) === resourceName(child.resource))
          controller.enqueue(objectKey(child.object.metadata));
      }
    }
  }

  async process(registered: Registered, key: string, signal: AbortSignal): Promise<Outcome | void> {
    const { caches, controlled, holds, ended } = this.#options;
    const { definition, controller } = registered;
    const { resource } = definition.for;
    const cached = (): KubeObject | undefined => caches.get(resource)?.store.get(key);
    // What is missing here may have moved: it is not to be cleaned up.
    let object = cached();
    if (object === undefined) return;
    let above = controlled.above(resource, object);
    if (above.missing) {
      // The arrival of what controls it enqueues it again.
      if (await this.#exists(above.missing, signal)) return;
      object = cached();
      if (object === undefined) return;
      above = controlled.above(resource, object);
    }
    const reach = [{ resource, object }, ...above.known];
    if (!reach.every((each) => this.#isFree(each))) return;
    const uids = reach.map((each) => each.object.metadata.uid ?? '');
    const busy = holds.heldAlone(uids);
    if (busy !== undefined) {
      holds.whenFree(busy, `${definition.name}/${key}`, () => controller.enqueue(key));
      return;
    }
    const release = holds.share(uids);
    try {
      return await this.#reconcile(registered, key, object, signal);
    } finally {
      release();
      ended(resource, key, object.metadata.uid ?? '');
    }
  }

  /** Else its hand-over decides, or the news that the cache waits for. */
  #isFree({ resource, object }: Controlled): boolean {
    const { controlled, memory, handOvers, ring } = this.#options;
    if (!controlled.isMain(resource)) return true;
    const belief = memory.belief(object);
    if (belief === 'unresolved') handOvers.enqueue(resource, object);
    return belief === 'current' && object.metadata.labels?.[drainLabel(ring)] === undefined;
  }

  async #exists(
    { resource, namespace, reference }: NonNullable<Above['missing']>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const ref = { name: reference.name, ...(resource.namespaced && { namespace }) };
    try {
      const live = await this.#options.client.getMetadata(resource, ref, { signal });
      return live.metadata.uid === reference.uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #reconcile(
    { definition }: Registered,
    key: string,
    object: KubeObject,
    signal: AbortSignal,
  ): Promise<Outcome | void> {
    const { observer, writer, controlled } = this.#options;
    const uid = object.metadata.uid ?? '';
    const about = { resource: resourceName(definition.for.resource), object: key, uid };
    observer({ event: 'reconcile-begin', ...about });
    let outcome: 'done' | 'failed' = 'failed';
    let ended = false;
    try {
      const result = await definition.reconcile({
        object,
        signal,
        writer: writer.for(object, () => ended),
        controlled: (resource) => controlled.cachedOf(uid, resource),
      });
      outcome = 'done';
      return result;
    } finally {
      // A write whose promise was dropped still belongs to this reconcile; none begins after it.
      ended = true;
      await writer.idle(uid);
      observer({ event: 'reconcile-end', ...about, outcome });
    }
  }
}
