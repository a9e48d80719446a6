import { enqueueMapped, enqueueObject } from '../controller/enqueue.ts';
import { filtered } from '../controller/predicate.ts';
import { type KubeObject, resourceName } from '../kube/types.ts';
import { drainLabel } from './contract.ts';
import type { ControlledObjects } from './controlled-objects.ts';
import type { HandOver } from './hand-over.ts';
import type { HandOverMemory } from './hand-over-memory.ts';
import type { HandOverQueue } from './hand-over-queue.ts';
import type { ShardCache } from './shard-caches.ts';
import type { ShardReconciles } from './shard-reconciles.ts';
import type { Registered } from './shard-work.ts';

export interface ShardHandlersOptions {
  ring: string;
  mains: readonly ShardCache[];
  owned: readonly ShardCache[];
  registered: readonly Registered[];
  controlled: ControlledObjects;
  reconciles: ShardReconciles;
  handOver: HandOver;
  handOvers: HandOverQueue;
  memory: HandOverMemory;
  forget(uid: string): void;
}

/** Makes the shard hear of its objects, before its caches run. */
export function listen(options: ShardHandlersOptions): void {
  const { mains, owned, registered } = options;
  for (const main of mains) listenForDrains(options, main);
  // Where a controlled object is reconciled by itself, it waits for what controls it.
  if (owned.some((cache) => mains.includes(cache))) {
    for (const { informer } of new Set([...mains, ...owned])) {
      informer.addHandler({ added: (object) => options.reconciles.enqueueBelow(object) });
    }
  }
  for (const { definition, controller } of registered) {
    const { resource, predicates } = definition.for;
    const informerOf = (name: string) =>
      [...mains, ...owned].find((cache) => resourceName(cache.resource) === name)?.informer;
    informerOf(resourceName(resource))?.addHandler(filtered(ownHandler(options, controller), predicates));
    const top = (object: KubeObject): string[] => {
      const key = options.controlled.mainKey(object, resource);
      return key === undefined ? [] : [key];
    };
    for (const source of definition.owns) {
      const handler = enqueueMapped(controller, top);
      informerOf(resourceName(source.resource))?.addHandler(filtered(handler, source.predicates));
    }
  }
}

/** Its hand-over comes first for what is drained; nothing is enqueued in vain. */
function ownHandler({ ring }: ShardHandlersOptions, controller: Registered['controller']) {
  const own = enqueueObject(controller);
  return {
    ...own,
    added: (object: KubeObject, isInInitialList: boolean): void => {
      if (!isDrained(ring, object)) own.added?.(object, isInInitialList);
    },
  };
}

/** Whatever the predicates of the controllers say. */
function listenForDrains(
  { ring, handOver, handOvers, memory, reconciles, forget }: ShardHandlersOptions,
  { resource, informer }: ShardCache,
): void {
  informer.addHandler({
    added: (object) => {
      if (!isDrained(ring, object)) return;
      // It comes with a drain: a process before this one may have begun to hand it over.
      handOver.readLive(object.metadata.uid ?? '');
      handOvers.enqueue(resource, object);
    },
    updated: (old, now) => {
      if (isDrained(ring, now)) handOvers.enqueue(resource, now);
      // What came meanwhile was put off.
      else if (isDrained(ring, old) || memory.belief(old) !== 'current') reconciles.enqueue(resource, now);
    },
    deleted: ({ metadata }) => forget(metadata.uid ?? ''),
  });
}

const isDrained = (ring: string, { metadata }: KubeObject): boolean =>
  metadata.labels?.[drainLabel(ring)] !== undefined;
