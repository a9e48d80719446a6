import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { type PartialObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ResourceCount } from '../metrics/move-gauges.ts';
import { labelledScope } from '../rings/belonging.ts';
import { isPlaced } from '../rings/ring-scope.ts';
import type { DrainHints } from './drain-hints.ts';
import { pollingMs } from './polling.ts';
import { canTake, type RingMoves, stayOrPlace } from './ring-moves.ts';

/** Who follows the objects on the move. */
export interface DrainWatcher {
  /** Has a drain label, from now on or still. */
  seen(resource: Resource, object: PartialObject): void;
  /** Has none any more, or is gone. */
  ended(object: PartialObject): void;
}

/** The objects on the move: those with a drain label. One whose target can't take it any more is sent elsewhere. */
export class Drains {
  readonly #moves: RingMoves;
  readonly #informers: Array<{ resource: Resource; informer: Informer<PartialObject> }>;
  #changes = 0;
  #checkedAt = -1;

  constructor(moves: RingMoves, hints: DrainHints, watchers: readonly DrainWatcher[]) {
    this.#moves = moves;
    const { client, clock, logger, scope } = moves;
    this.#informers = labelledScope(scope).mains.map(({ resource }) => {
      const informer: Informer<PartialObject> = new Informer<PartialObject>({
        client,
        clock,
        resource,
        form: 'metadata',
        labelSelector: drainLabel(scope.ring),
        pollMs: () => pollingMs(informer.store.size),
        logger: logger.child({ informer: `draining ${resourceName(resource)}` }),
        keep: ({ metadata }) =>
          metadata.labels?.[shardLabel(scope.ring)] !== undefined ||
          scope.selects(metadata.namespace) !== false,
      });
      // From the start on: that the object is without a shard may be seen before the end of its drain is.
      const remember = ({ metadata }: PartialObject): void => {
        const target = metadata.labels?.[drainLabel(scope.ring)];
        if (target && metadata.uid) hints.remember(metadata.uid, target);
        this.#changes += 1;
      };
      const seen = (object: PartialObject): void => {
        remember(object);
        for (const watcher of watchers) watcher.seen(resource, object);
      };
      informer.addHandler({
        added: seen,
        updated: (_old, now) => seen(now),
        deleted: (object) => {
          remember(object);
          for (const watcher of watchers) watcher.ended(object);
        },
      });
      return { resource, informer };
    });
  }

  get count(): number {
    return this.#informers.reduce((sum, { informer }) => sum + informer.store.size, 0);
  }

  /** Objects of each resource. */
  get counts(): ResourceCount[] {
    return this.#informers.map(({ resource: { group, resource }, informer }) => ({
      group,
      resource,
      count: informer.store.size,
    }));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(({ informer }) => informer.run(signal)));
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(({ informer }) => informer.waitForSync(signal)));
  }

  /** The membership changed: targets may no longer take what is on its way to them. */
  membershipChanged(): void {
    this.#changes += 1;
  }

  /** Grows whenever an object begins or ends a move, or what is known of the shards has changed. */
  get changes(): number {
    return this.#changes;
  }

  /** The objects on the move that fulfil a condition, with their resource. */
  async filter(
    condition: (resource: Resource, object: PartialObject) => boolean,
  ): Promise<Array<{ resource: Resource; object: PartialObject }>> {
    const found: Array<{ resource: Resource; object: PartialObject }> = [];
    const slice = new Slice(this.#moves.clock);
    for (const { resource, informer } of this.#informers) {
      for (const object of informer.store.values()) {
        if (condition(resource, object)) found.push({ resource, object });
        if (slice.isOver) await slice.maybeYield();
      }
    }
    return found;
  }

  /**
   * New targets for drains towards shards that can't take objects, and for those towards nobody of objects that belong
   * to the ring again: the present shard, if it may keep the object (it takes the hand-over back), else another.
   * Objects of given-up shards are moved, not drained. Does nothing while nothing has changed.
   * `sentElsewhere` is called for each.
   */
  async retarget(sentElsewhere: () => void = () => undefined): Promise<void> {
    const changes = this.#changes;
    if (changes === this.#checkedAt) return;
    const { scope, writer, limit } = this.#moves;
    const stranded = await this.filter((resource, object) => this.#isStranded(resource, object));
    await limit.forEach('place', stranded, async ({ resource, object }) => {
      const to = stayOrPlace(this.#moves, resource, object);
      if (to === undefined || !this.#isStranded(resource, object)) return;
      const outcome = await writer.relabel(resource, object, {
        [shardLabel(scope.ring)]: object.metadata.labels?.[shardLabel(scope.ring)],
        [drainLabel(scope.ring)]: to,
      });
      if (outcome === 'done') sentElsewhere();
    });
    this.#checkedAt = changes;
  }

  /** What follows a controller goes where that is. */
  #isStranded(resource: Resource, object: PartialObject): boolean {
    const { membership, scope } = this.#moves;
    const shard = object.metadata.labels?.[shardLabel(scope.ring)];
    const target = object.metadata.labels?.[drainLabel(scope.ring)];
    if (shard === undefined || (target && canTake(this.#moves, object, target))) return false;
    return isPlaced(scope, resource, object) && !membership.isGivenUp(scope.ring, shard);
  }
}
