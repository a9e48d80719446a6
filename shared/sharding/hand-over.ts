import type { ApiClient, Patch } from '../kube/api-client.ts';
import { ApiError, isConflict, isFailedTest, isNotFound } from '../kube/errors.ts';
import {
  type ObjectMeta,
  objectKey,
  type PartialObject,
  type Resource,
  resourceName,
} from '../kube/types.ts';
import { FencedError } from '../lease/write-fence.ts';
import { drainLabel, shardLabel } from './contract.ts';
import type { ControlledObjects } from './controlled-objects.ts';
import type { Controlled } from './controlled-trees.ts';
import type { FencedWriter } from './fenced-writer.ts';
import type { HandOverMemory } from './hand-over-memory.ts';
import { type LabelChanges, labelPatch } from './label-patch.ts';
import type { ShardObserver } from './shard-event.ts';

export interface HandOverOptions {
  client: Pick<ApiClient, 'getMetadata'>;
  writer: FencedWriter;
  controlled: ControlledObjects;
  memory: HandOverMemory;
  /** What the cache holds under a key now. */
  cached(resource: Resource, key: string): PartialObject | undefined;
  /** Keeps all others from working on a main object until it is called back; undefined: somebody does already. */
  hold(uid: string): (() => void) | undefined;
  ring: string;
  shard: string;
  observer: ShardObserver;
}

/**
 * Gives an object that carries a drain label to the shard that the label names: the controlled objects first, the
 * owner last, each only if it still is what was read. The caller has made sure that nothing is under way for it.
 * An empty drain label gives it to nobody. One that names this shard takes a hand-over back.
 * A controlled object that is a main object, too, waits for what is under way for it, and nothing begins on it any more.
 */
export class HandOver {
  readonly #options: HandOverOptions;
  /** Owners whose controlled objects are read live: a hand-over of them was begun before, perhaps by another process. */
  readonly #live = new Set<string>();

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** How many owners something is remembered of. */
  get size(): number {
    return this.#live.size;
  }

  forget(uid: string): void {
    this.#live.delete(uid);
    this.#options.memory.forget(uid);
  }

  /** The caches may not hold all controlled objects of the owner: its next hand-over reads them live. */
  readLive(uid: string): void {
    this.#live.add(uid);
  }

  /** Throws when something was not as it was read, or an error came between: to be tried again. */
  async run(main: Resource, owner: PartialObject, signal: AbortSignal): Promise<void> {
    const { ring, shard, observer, controlled } = this.#options;
    const uid = owner.metadata.uid ?? '';
    const to = owner.metadata.labels?.[drainLabel(ring)] ?? '';
    const about = { object: objectKey(owner.metadata), uid, to };
    observer({ event: 'hand-over-begin', ...about });
    try {
      const cached = controlled.cached(uid);
      // Another controller may not know what it has created for one of them.
      const known = [owner, ...cached.map(({ object }) => object)];
      const isLive = known.some(({ metadata }) => this.#live.has(metadata.uid ?? ''));
      const children = isLive ? await controlled.live(owner, signal) : cached;
      this.#live.add(uid);
      for (const child of children) await this.#relabelControlled(child, to);
      const resourceVersion = await this.#relabelOwner(main, owner, to);
      // Of an owner that was taken back, the controlled objects may not have arrived in the caches again.
      if (to !== shard) {
        this.#live.delete(uid);
        controlled.forget(uid);
      }
      observer({ event: 'hand-over-end', ...about, outcome: 'handed-over', resourceVersion });
    } catch (error) {
      observer({ event: 'hand-over-end', ...about, outcome: 'failed' });
      throw error;
    }
  }

  /** Reads what became of the owner's last patch; until then its key is neither reconciled nor handed over. */
  async resolve(main: Resource, owner: PartialObject, signal: AbortSignal): Promise<void> {
    const { client, memory, cached } = this.#options;
    const uid = owner.metadata.uid ?? '';
    try {
      const live = await client.getMetadata(main, owner.metadata, { signal });
      // Another uid: the object that was meant is gone, and what the cache still holds of it is older than this.
      memory.resolved(uid, live.metadata.resourceVersion ?? '0', cached(main, objectKey(owner.metadata)));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      memory.resolved(uid, endOfTime, cached(main, objectKey(owner.metadata)));
    }
  }

  async #relabelControlled(child: Controlled, to: string): Promise<void> {
    const { ring, controlled, memory, cached, hold } = this.#options;
    const { metadata } = child.object;
    if ((metadata.labels?.[shardLabel(ring)] ?? '') === to) return;
    if (!controlled.isMain(child.resource)) {
      await this.#patchControlled(child, to);
      return;
    }
    const { uid = '' } = metadata;
    const key = objectKey(metadata);
    const release = hold(uid);
    if (release === undefined) throw new Error(`${key} is still worked on: it goes with what controls it`);
    try {
      memory.resolved(
        uid,
        (await this.#patchControlled(child, to)) ?? endOfTime,
        cached(child.resource, key),
      );
    } catch (error) {
      if (!(error instanceof FencedError)) memory.unresolved(uid, cached(child.resource, key));
      throw error;
    } finally {
      release();
    }
  }

  /** Undefined: there is no such object any more. */
  async #patchControlled({ resource, object }: Controlled, to: string): Promise<string | undefined> {
    const { ring } = this.#options;
    const drain = drainLabel(ring);
    const changes: LabelChanges = {
      [shardLabel(ring)]: to === '' ? undefined : to,
      ...(object.metadata.labels?.[drain] !== undefined && { [drain]: undefined }),
    };
    try {
      const patch = labelPatch(object, changes, { resourceVersion: true });
      return (await this.#relabel(resource, object.metadata, patch)).metadata.resourceVersion;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Throws ApiError 409, which is no failure, when the object isn't what it was. */
  async #relabel(resource: Resource, object: ObjectMeta, patch: Patch): Promise<PartialObject> {
    try {
      return await this.#options.writer.relabel(resource, object, patch);
    } catch (error) {
      if (!isFailedTest(error)) throw error;
      throw new ApiError(
        409,
        'Conflict',
        `${resourceName(resource)} ${objectKey(object)} has changed since it was read`,
      );
    }
  }

  async #relabelOwner(main: Resource, owner: PartialObject, to: string): Promise<string | undefined> {
    const { ring, shard, memory, cached } = this.#options;
    const uid = owner.metadata.uid ?? '';
    const changes: LabelChanges = {
      [shardLabel(ring)]: to === '' ? undefined : to,
      [drainLabel(ring)]: undefined,
    };
    const patch = labelPatch(owner, changes, { resourceVersion: true });
    try {
      const written = await this.#relabel(main, owner.metadata, patch);
      const { resourceVersion } = written.metadata;
      memory.resolved(uid, resourceVersion ?? '0', cached(main, objectKey(owner.metadata)));
      return resourceVersion;
    } catch (error) {
      if (!(error instanceof FencedError)) memory.unresolved(uid, cached(main, objectKey(owner.metadata)));
      if (isConflict(error)) throw error;
      throw new Error(`hand-over of ${objectKey(owner.metadata)} from ${shard} did not succeed`, {
        cause: error,
      });
    }
  }
}

/** Greater than every resourceVersion: the object is gone, no cached version of it is believed. */
const endOfTime = '9'.repeat(30);
