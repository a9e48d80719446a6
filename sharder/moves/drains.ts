import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { type PartialObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { DrainHints } from './drain-hints.ts';
import { forEachConcurrently } from './for-each.ts';
import { placeObject, type RingMoves } from './ring-moves.ts';

/** The objects on the move: those with a drain label. One whose target can't take it any more is sent elsewhere. */
export class Drains {
  readonly #moves: RingMoves;
  readonly #informers: Array<{ resource: Resource; informer: Informer<PartialObject> }>;

  /** `changed` is called whenever an object begins or ends a move. */
  constructor(moves: RingMoves, hints: DrainHints, changed: () => void) {
    this.#moves = moves;
    const { client, clock, logger, scope } = moves;
    this.#informers = scope.mains.map(({ resource }) => {
      const informer = new Informer<PartialObject>({
        client,
        clock,
        resource,
        form: 'metadata',
        labelSelector: drainLabel(scope.ring),
        logger: logger.child({ informer: `draining ${resourceName(resource)}` }),
        keep: (object) => scope.selects(object.metadata.namespace) !== false,
      });
      // From the start on: that the object is without a shard may be seen before the end of its drain is.
      const remember = ({ metadata }: PartialObject): void => {
        const target = metadata.labels?.[drainLabel(scope.ring)];
        if (target && metadata.uid) hints.remember(metadata.uid, target);
        changed();
      };
      informer.addHandler({ added: remember, updated: (_old, now) => remember(now), deleted: remember });
      return { resource, informer };
    });
  }

  get count(): number {
    return this.#informers.reduce((sum, { informer }) => sum + informer.store.size, 0);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(({ informer }) => informer.run(signal)));
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(({ informer }) => informer.waitForSync(signal)));
  }

  /** New targets for drains towards shards that can't take objects. Objects of given-up shards are moved, not drained. */
  async retarget(): Promise<void> {
    const { membership, scope, writer, concurrency } = this.#moves;
    const usable = new Set(membership.usable(scope.ring).map(({ name }) => name));
    for (const { resource, informer } of this.#informers) {
      const stranded = informer.store.list().filter(({ metadata }) => {
        const shard = metadata.labels?.[shardLabel(scope.ring)];
        const target = metadata.labels?.[drainLabel(scope.ring)];
        if (shard === undefined || !target || usable.has(target)) return false;
        return !membership.isGivenUp(scope.ring, shard);
      });
      await forEachConcurrently(stranded, concurrency, async (object) => {
        const to = placeObject(this.#moves, resource, object);
        const shard = object.metadata.labels?.[shardLabel(scope.ring)];
        if (to === undefined) return;
        await writer.relabel(resource, object, {
          [shardLabel(scope.ring)]: shard,
          [drainLabel(scope.ring)]: to,
        });
      });
    }
  }
}
