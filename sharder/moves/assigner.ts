import { ExponentialBackoff } from '@controller-sharding/shared/queue/exponential-backoff.ts';
import { RateLimitingQueue } from '@controller-sharding/shared/queue/rate-limiting-queue.ts';
import { sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type Controlled, mostLevels } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import type { ResourceCount } from '../metrics/move-gauges.ts';
import { isMissingRight } from '../rings/missing-rights.ts';
import { controllerInRing, type MainResource, mainOf } from '../rings/ring-scope.ts';
import { listControlled } from './controlled-lists.ts';
import { Controllers } from './controllers.ts';
import type { DrainHints } from './drain-hints.ts';
import { movable } from './held-objects.ts';
import type { RelabelOutcome } from './label-writer.ts';
import { moveOwner } from './move-owner.ts';
import { canTake, pinnedShard, placeObject, type RingMoves } from './ring-moves.ts';
import { type Unassigned, UnassignedObjects } from './unassigned-objects.ts';

const mostInWave = 500;
const betweenWavesMs = 20;
const unplacedRetryMs = 1_000;
/** A controlled object whose owner isn't there is looked at after each of these, doubled each time. */
const ownerless = { baseMs: 1_000, maxMs: 3_600_000 };

/**
 * Gives a shard to every object of the ring that has none. Watches just those objects, and works in waves, so that
 * controlled objects are looked up once for many owners.
 */
export class Assigner {
  readonly #moves: RingMoves;
  readonly #hints: DrainHints;
  readonly #objects: UnassignedObjects;
  readonly #queue: RateLimitingQueue<string>;
  readonly #ownerless: ExponentialBackoff<string>;

  constructor(moves: RingMoves, hints: DrainHints) {
    this.#moves = moves;
    this.#hints = hints;
    this.#queue = new RateLimitingQueue(moves.clock, { baseMs: 20, maxMs: 5_000 });
    this.#ownerless = new ExponentialBackoff(moves.clock, ownerless);
    this.#objects = new UnassignedObjects(moves, (key) => this.#queue.add(key));
  }

  /** Objects of main resources that wait for a shard. */
  get unassigned(): number {
    return this.#objects.mains;
  }

  get counts(): ResourceCount[] {
    return this.#objects.counts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#objects.run(signal);
    for (;;) {
      const first = await this.#queue.get(signal);
      if (first === undefined) break;
      const keys = [first];
      while (this.#queue.length > 0 && keys.length < mostInWave) {
        const next = await this.#queue.get(signal);
        if (next !== undefined) keys.push(next);
      }
      await this.#wave(keys, signal);
      for (const key of keys) this.#queue.done(key);
      await this.#moves.clock.sleep(betweenWavesMs, signal).catch(() => undefined);
    }
    await watching;
  }

  async #wave(keys: string[], signal: AbortSignal): Promise<void> {
    const mains = new Map<MainResource, Unassigned[]>();
    const controlled: Unassigned[] = [];
    for (const key of keys) {
      const found = this.#objects.find(key);
      if (found === undefined) this.#forget(key);
      else if (this.#moves.scope.selects(found.object.metadata.namespace) !== true)
        this.#queue.addRateLimited(key);
      else if (controllerInRing(this.#moves.scope, found.resource, found.object)) controlled.push(found);
      else {
        const main = mainOf(this.#moves.scope, found.resource);
        if (main) mains.set(main, [...(mains.get(main) ?? []), found]);
      }
    }
    for (const [main, owners] of mains) await this.#place(main, owners, signal);
    await this.#follow(controlled, signal);
  }

  async #place(main: MainResource, owners: Unassigned[], signal: AbortSignal): Promise<void> {
    const { client, scope, membership } = this.#moves;
    if (membership.ring(scope.ring).pinnable.size === 0) {
      for (const { key } of owners) this.#queue.addAfter(key, unplacedRetryMs);
      return;
    }
    let children: Map<string, Controlled[]>;
    try {
      children = await listControlled(
        client,
        scope,
        main.resource,
        owners.map(({ object }) => object),
        signal,
      );
    } catch (error) {
      for (const { key } of owners) this.#queue.addRateLimited(key);
      this.#failed(error, signal);
      return;
    }
    await this.#moves.limit.forEach('place', owners, async (owner) => {
      const uid = owner.object.metadata.uid ?? '';
      const hint = this.#hints.take(uid);
      const follow = hint !== undefined && canTake(this.#moves, owner.object, hint);
      const to =
        pinnedShard(this.#moves, owner.object) ??
        (follow ? hint : placeObject(this.#moves, main.resource, owner.object));
      if (to === undefined) {
        this.#queue.addAfter(owner.key, unplacedRetryMs);
        return;
      }
      const controlled = movable(this.#moves, children.get(uid));
      await this.#settle(owner, signal, async () => {
        if (controlled.length > 0 && !(await this.#isUnassigned(owner, signal))) return 'changed';
        return moveOwner(this.#moves.writer, {
          ring: scope.ring,
          resource: main.resource,
          owner: owner.object,
          to,
          children: controlled,
          stillRight: async () => canTake(this.#moves, owner.object, to),
        });
      });
    });
  }

  /** A controlled object gets the label of its controller, unless something above it is on the move. */
  async #follow(objects: Unassigned[], signal: AbortSignal): Promise<void> {
    const { scope, writer } = this.#moves;
    const controllers = new Controllers(this.#moves, signal);
    await this.#moves.limit.forEach('place', objects, async (child) => {
      const levels = this.#objects.levelsAbove(child);
      // It is enqueued when its controller has a label.
      if (levels > 0 && levels < mostLevels) this.#forget(child.key);
      else
        await this.#settle(child, signal, async () => {
          const above = await controllers.above(child.resource, child.object);
          if (above.kind === 'endless') this.#tellEndless(child);
          if (above.kind !== 'main') return 'ownerless';
          if (above.moving || above.controllerShard === undefined) return 'changed';
          const changes = { [shardLabel(scope.ring)]: above.controllerShard };
          return writer.relabel(child.resource, child.object, changes, { controllerUid: true });
        });
    });
  }

  /**
   * Read now: before its controlled objects are taken from a shard, it must be sure that the owner isn't on one. The
   * watch may not have told yet.
   */
  async #isUnassigned({ resource, object }: Unassigned, signal: AbortSignal): Promise<boolean> {
    const options = { signal, timeoutMs: sharderRequestMs };
    const { metadata } = await this.#moves.client.getMetadata(resource, object.metadata, options);
    return metadata.uid === object.metadata.uid && !metadata.labels?.[shardLabel(this.#moves.scope.ring)];
  }

  async #settle(
    item: Unassigned,
    signal: AbortSignal,
    move: () => Promise<RelabelOutcome | 'ownerless'>,
  ): Promise<void> {
    try {
      const outcome = await move();
      if (outcome === 'changed') {
        this.#queue.addRateLimited(item.key);
        return;
      }
      if (outcome === 'ownerless') {
        this.#queue.addAfter(item.key, this.#ownerless.next(item.key));
        return;
      }
      this.#forget(item.key);
      if (outcome === 'done') {
        const { group, resource } = item.resource;
        this.#moves.metrics.assigned({ controllerring: this.#moves.scope.ring, group, resource });
      }
    } catch (error) {
      this.#queue.addRateLimited(item.key);
      this.#failed(error, signal);
    }
  }

  #tellEndless({ object }: Unassigned): void {
    const note = `Its controllers form a circle, or more than ${mostLevels} levels: it belongs to no main object of ring "${this.#moves.scope.ring}" and gets no shard. Correct the owner references.`;
    const reason = 'EndlessControllers';
    this.#moves.events.record({ regarding: object, type: 'Warning', reason, action: 'Place', note });
  }

  #forget(key: string): void {
    this.#queue.forget(key);
    this.#ownerless.forget(key);
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted && !isMissingRight(error))
      this.#moves.logger.warn({ err: error }, 'objects could not be assigned yet');
  }
}
