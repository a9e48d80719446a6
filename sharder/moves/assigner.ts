import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import {
  objectKey,
  type PartialObject,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';
import { RateLimitingQueue } from '@controller-sharding/shared/queue/rate-limiting-queue.ts';
import { drainLabel, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { controllingMain, type MainResource, mainOf, scopeResources } from '../rings/ring-scope.ts';
import { type Controlled, listControlled } from './controlled-lists.ts';
import type { DrainHints } from './drain-hints.ts';
import { forEachConcurrently } from './for-each.ts';
import type { RelabelOutcome } from './label-writer.ts';
import { moveOwner } from './move-owner.ts';
import { readOwner } from './read-owner.ts';
import { placeObject, type RingMoves } from './ring-moves.ts';

interface Unassigned {
  key: string;
  resource: Resource;
  object: PartialObject;
}

const mostInWave = 500;
const betweenWavesMs = 20;
const unplacedRetryMs = 1_000;

/**
 * Gives a shard to every object of the ring that has none. Watches just those objects, and works in waves, so that
 * controlled objects are looked up once for many owners.
 */
export class Assigner {
  readonly #moves: RingMoves;
  readonly #hints: DrainHints;
  readonly #informers = new Map<string, { resource: Resource; informer: Informer<PartialObject> }>();
  readonly #queue: RateLimitingQueue<string>;

  constructor(moves: RingMoves, hints: DrainHints) {
    this.#moves = moves;
    this.#hints = hints;
    this.#queue = new RateLimitingQueue(moves.clock, { baseMs: 20, maxMs: 5_000 });
    for (const resource of scopeResources(moves.scope)) this.#watch(resource);
  }

  /** Main objects that wait for a shard. */
  get unassigned(): number {
    let count = 0;
    for (const { resource, informer } of this.#informers.values()) {
      if (mainOf(this.#moves.scope, resource)) count += informer.store.size;
    }
    return count;
  }

  async run(signal: AbortSignal): Promise<void> {
    const watching = [...this.#informers.values()].map(({ informer }) => informer.run(signal));
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
    await Promise.all(watching);
  }

  #watch(resource: Resource): void {
    const { client, clock, logger, scope } = this.#moves;
    const informer = new Informer<PartialObject>({
      client,
      clock,
      resource,
      form: 'metadata',
      labelSelector: `!${shardLabel(scope.ring)}`,
      logger: logger.child({ informer: `unassigned ${resourceName(resource)}` }),
      keep: (object) =>
        scope.selects(object.metadata.namespace) !== false &&
        (mainOf(scope, resource) !== undefined || controllingMain(scope, resource, object) !== undefined),
    });
    const enqueue = (object: PartialObject): void =>
      this.#queue.add(`${resourceName(resource)}|${objectKey(object.metadata)}`);
    informer.addHandler({ added: enqueue, updated: (_old, now) => enqueue(now) });
    this.#informers.set(resourceName(resource), { resource, informer });
  }

  async #wave(keys: string[], signal: AbortSignal): Promise<void> {
    const mains = new Map<MainResource, Unassigned[]>();
    const controlled: Unassigned[] = [];
    for (const key of keys) {
      const found = this.#find(key);
      if (found === undefined) this.#queue.forget(key);
      else if (this.#moves.scope.selects(found.object.metadata.namespace) !== true)
        this.#queue.addRateLimited(key);
      else if (controllingMain(this.#moves.scope, found.resource, found.object)) controlled.push(found);
      else {
        const main = mainOf(this.#moves.scope, found.resource);
        if (main) mains.set(main, [...(mains.get(main) ?? []), found]);
      }
    }
    for (const [main, owners] of mains) await this.#place(main, owners, signal);
    await this.#follow(controlled, signal);
  }

  #find(key: string): Unassigned | undefined {
    const bar = key.indexOf('|');
    const entry = this.#informers.get(key.slice(0, bar));
    const object = entry?.informer.store.get(key.slice(bar + 1));
    return entry && object && { key, resource: entry.resource, object };
  }

  async #place(main: MainResource, owners: Unassigned[], signal: AbortSignal): Promise<void> {
    const { client, scope, membership } = this.#moves;
    if (membership.usable(scope.ring).length === 0) {
      for (const { key } of owners) this.#queue.addAfter(key, unplacedRetryMs);
      return;
    }
    let children: Map<string, Controlled[]>;
    try {
      children = await listControlled(
        client,
        scope.ring,
        main,
        owners.map(({ object }) => object),
        signal,
      );
    } catch (error) {
      for (const { key } of owners) this.#queue.addRateLimited(key);
      this.#failed(error, signal);
      return;
    }
    await forEachConcurrently(owners, this.#moves.concurrency, async (owner) => {
      const uid = owner.object.metadata.uid ?? '';
      const hint = this.#hints.take(uid);
      const to =
        hint !== undefined && membership.isUsable(scope.ring, hint)
          ? hint
          : placeObject(this.#moves, main.resource, owner.object);
      if (to === undefined) {
        this.#queue.addAfter(owner.key, unplacedRetryMs);
        return;
      }
      const controlled = children.get(uid) ?? [];
      await this.#settle(owner, signal, async () => {
        if (controlled.length > 0 && !(await this.#isUnassigned(owner, signal))) return 'changed';
        return moveOwner(this.#moves.writer, {
          ring: scope.ring,
          resource: main.resource,
          owner: owner.object,
          to,
          children: controlled,
          stillRight: async () => membership.isUsable(scope.ring, to),
        });
      });
    });
  }

  /** A controlled object gets the label of its controller, unless that is on the move or has none yet. */
  async #follow(objects: Unassigned[], signal: AbortSignal): Promise<void> {
    const { client, scope, writer } = this.#moves;
    const owners = new Map<string, Promise<PartialObject | undefined>>();
    await forEachConcurrently(objects, this.#moves.concurrency, async (child) => {
      const control = controllingMain(scope, child.resource, child.object);
      if (control === undefined) return;
      const { reference } = control;
      await this.#settle(child, signal, async () => {
        const reading = owners.get(reference.uid) ?? readOwner(client, control, child.object, signal);
        owners.set(reference.uid, reading);
        const owner = await reading;
        if (owner === undefined) return 'gone';
        const { labels } = owner.metadata;
        const shard = labels?.[shardLabel(scope.ring)];
        if (shard === undefined || labels?.[drainLabel(scope.ring)] !== undefined) return 'changed';
        const changes = { [shardLabel(scope.ring)]: shard };
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

  async #settle(item: Unassigned, signal: AbortSignal, move: () => Promise<RelabelOutcome>): Promise<void> {
    try {
      const outcome = await move();
      if (outcome === 'changed') {
        this.#queue.addRateLimited(item.key);
        return;
      }
      this.#queue.forget(item.key);
      if (outcome === 'done') {
        const { group, resource } = item.resource;
        this.#moves.metrics.assigned({ controllerring: this.#moves.scope.ring, group, resource });
      }
    } catch (error) {
      this.#queue.addRateLimited(item.key);
      this.#failed(error, signal);
    }
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#moves.logger.warn({ err: error }, 'objects could not be assigned yet');
  }
}
