import type { InformerHandler } from '@controller-sharding/shared/kube/informer-handlers.ts';
import type { ReadonlyStore } from '@controller-sharding/shared/kube/store.ts';
import { type KubeObject, objectKey } from '@controller-sharding/shared/kube/types.ts';

/** What a handler is told must be a story without gaps; this is one that checks. */
export class Story<T extends KubeObject> implements InformerHandler<T> {
  readonly #objects = new Map<string, T>();
  /** Of objects that were deleted; a test has few. */
  readonly #ended = new Set<string | undefined>();
  /** The first thing that didn't fit. */
  #flaw: string | undefined;
  #told = 0;

  /** How much was told. */
  get told(): number {
    return this.#told;
  }

  added(object: T): void {
    const known = this.#tell(object);
    if (known) this.#flawed('added twice', object);
    if (this.#ended.has(object.metadata.uid)) this.#flawed('added after its end', object);
    this.#objects.set(objectKey(object.metadata), object);
  }

  updated(old: T, now: T): void {
    const known = this.#tell(now);
    if (!known) this.#flawed('updated before it was added', now);
    else if (version(old) !== version(known)) this.#flawed('updated from what it was not', now);
    else if (old.metadata.uid !== now.metadata.uid) this.#flawed('updated, but created again', now);
    this.#objects.set(objectKey(now.metadata), now);
  }

  deleted(last: T): void {
    const known = this.#tell(last);
    if (!known) this.#flawed('deleted before it was added', last);
    else if (known.metadata.uid !== last.metadata.uid) this.#flawed('deleted instead of another', last);
    this.#objects.delete(objectKey(last.metadata));
    this.#ended.add(last.metadata.uid);
  }

  /** What is wrong with the story up to now, or between it and the store; undefined when nothing is. */
  flaw(store: ReadonlyStore<T>): string | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    for (const [key, object] of this.#objects) {
      const stored = store.get(key);
      if (!stored) return `${key} is not in the store, and no deletion was told`;
      if (version(stored) !== version(object)) return `${key} is in the store as it was never told`;
    }
    return store.size === this.#objects.size ? undefined : 'the store has what was never told';
  }

  #tell(object: T): T | undefined {
    this.#told += 1;
    return this.#objects.get(objectKey(object.metadata));
  }

  #flawed(what: string, object: T): void {
    this.#flaw ??= `${what}: ${objectKey(object.metadata)} ${version(object)}`;
  }
}

const version = ({ metadata }: KubeObject): string => `${metadata.uid}@${metadata.resourceVersion}`;
