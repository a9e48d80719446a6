import { compareResourceVersions, type PartialObject } from '../kube/types.ts';

/** What the shard may believe of its cache about an object whose hand-over it tried. */
export type Belief =
  /** The cached version may be acted on. */
  | 'current'
  /** The cache is older than what is known: wait for a newer version. */
  | 'stale'
  /** What became of the last patch is not known: read the object first. */
  | 'unresolved';

/**
 * Remembers, for objects that were handed over, from which resourceVersion on the cache tells the truth again.
 * Older versions are ignored and any newer one is believed: no DELETED is waited for, since an object that comes back
 * at once may never be seen to leave.
 */
export class HandOverMemory {
  readonly #from = new Map<string, string | undefined>();

  /** The patch failed, or its outcome is not known. */
  unresolved(uid: string, cached: PartialObject | undefined): void {
    if (cached?.metadata.uid === uid) this.#from.set(uid, undefined);
  }

  /** `resourceVersion` is what the API server holds; `cached` is what the cache holds of the object, if anything. */
  resolved(uid: string, resourceVersion: string, cached: PartialObject | undefined): void {
    const behind =
      cached?.metadata.uid === uid &&
      compareResourceVersions(cached.metadata.resourceVersion ?? '0', resourceVersion) < 0;
    if (behind) this.#from.set(uid, resourceVersion);
    else this.#from.delete(uid);
  }

  /** The object left the cache. */
  forget(uid: string): void {
    this.#from.delete(uid);
  }

  belief(cached: PartialObject): Belief {
    const uid = cached.metadata.uid ?? '';
    if (!this.#from.has(uid)) return 'current';
    const from = this.#from.get(uid);
    if (from === undefined) return 'unresolved';
    if (compareResourceVersions(cached.metadata.resourceVersion ?? '0', from) < 0) return 'stale';
    this.#from.delete(uid);
    return 'current';
  }

  get size(): number {
    return this.#from.size;
  }
}
