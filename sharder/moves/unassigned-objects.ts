import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import {
  controllerOf,
  objectKey,
  type PartialObject,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { mostLevels } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import type { ResourceCount } from '../metrics/move-gauges.ts';
import { controllerInRing, mainOf, type RingScope, scopeResources } from '../rings/ring-scope.ts';
import { pollingMs } from './polling.ts';
import type { RingMoves } from './ring-moves.ts';

export interface Unassigned {
  key: string;
  resource: Resource;
  object: PartialObject;
}

const byController = 'controller';

/** The objects of a ring that have no shard label: watches just those, of all resources. */
export class UnassignedObjects {
  readonly #scope: RingScope;
  readonly #informers = new Map<string, { resource: Resource; informer: Informer<PartialObject> }>();

  /**
   * `look` is called with the key of an object that came, changed, or waited for its controller, which has a label now,
   * or is gone.
   */
  constructor({ client, clock, logger, scope }: RingMoves, look: (key: string) => void) {
    this.#scope = scope;
    for (const resource of scopeResources(scope)) {
      const informer: Informer<PartialObject> = new Informer<PartialObject>({
        client,
        clock,
        resource,
        form: 'metadata',
        labelSelector: `!${shardLabel(scope.ring)}`,
        pollMs: () => pollingMs(informer.store.size),
        logger: logger.child({ informer: `unassigned ${resourceName(resource)}` }),
        keep: (object) =>
          scope.selects(object.metadata.namespace) !== false &&
          (mainOf(scope, resource) !== undefined || controllerInRing(scope, resource, object) !== undefined),
      });
      informer.addIndex(byController, (object) => {
        const uid = controllerOf(object)?.uid;
        return uid === undefined ? [] : [uid];
      });
      informer.addHandler({
        added: (object) => look(keyOf(resource, object)),
        updated: (_old, now) => look(keyOf(resource, now)),
        deleted: ({ metadata }) => {
          for (const key of this.#controlledBy(metadata.uid ?? '')) look(key);
        },
      });
      this.#informers.set(resourceName(resource), { resource, informer });
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map(({ informer }) => informer.run(signal)));
  }

  /** Objects of each resource. */
  get counts(): ResourceCount[] {
    return [...this.#informers.values()].map(({ resource: { group, resource }, informer }) => ({
      group,
      resource,
      count: informer.store.size,
    }));
  }

  /** Objects of main resources. */
  get mains(): number {
    let count = 0;
    for (const { resource, informer } of this.#informers.values()) {
      if (mainOf(this.#scope, resource)) count += informer.store.size;
    }
    return count;
  }

  find(key: string): Unassigned | undefined {
    const bar = key.indexOf('|');
    const entry = this.#informers.get(key.slice(0, bar));
    const object = entry?.informer.store.get(key.slice(bar + 1));
    return entry && object && { key, resource: entry.resource, object };
  }

  /** How many levels of controllers right above an object have no label either; at most `mostLevels`. */
  levelsAbove({ resource, object }: Unassigned): number {
    const { namespace } = object.metadata;
    let controlling = controllerInRing(this.#scope, resource, object);
    for (let level = 0; level < mostLevels; level += 1) {
      if (controlling === undefined) return level;
      const { reference, resource: above } = controlling;
      const key = objectKey({ name: reference.name, ...(above.namespaced && { namespace }) });
      const controller = this.#informers.get(resourceName(above))?.informer.store.get(key);
      if (controller?.metadata.uid !== reference.uid) return level;
      controlling = controllerInRing(this.#scope, above, controller);
    }
    return mostLevels;
  }

  #controlledBy(uid: string): string[] {
    return [...this.#informers.values()].flatMap(({ resource, informer }) =>
      informer.store.byIndex(byController, uid).map((object) => keyOf(resource, object)),
    );
  }
}

const keyOf = (resource: Resource, object: PartialObject): string =>
  `${resourceName(resource)}|${objectKey(object.metadata)}`;
