import type { Patch } from '../kube/api-client.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../kube/types.ts';
import { isShardingLabel } from '../sharding/contract.ts';
import { fingerprint } from './canonical.ts';
import { covers } from './covers.ts';
import { LeftOut } from './left-out.ts';

/** Annotation on what is applied, for each field manager: a fingerprint of what it wants. */
const annotationPrefix = 'applied.alpha.sharding.timebertt.dev/';

const managerName = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/**
 * Knows whether an apply would change anything, without asking. The object says by a fingerprint what was wanted of it
 * last; if that is still wanted, and the object still has all of it, there is nothing to write. So it needs no memory
 * over a restart. What the API server writes in another way than it was given looks like a difference: that an apply of
 * it changed nothing is remembered.
 */
export class AppliedObjects {
  readonly #fieldManager: string;
  readonly #annotation: string;
  readonly #leftOut = new LeftOut();
  /** Cached object → the fingerprint of which an apply changed nothing. */
  readonly #unchanged = new WeakMap<KubeObject, string>();
  /** Object that was read → what the API server answered a write that was decided on it. */
  readonly #newer = new WeakMap<KubeObject, KubeObject>();

  /** Throws RangeError when the name can't be part of an annotation. */
  constructor(fieldManager: string) {
    if (!managerName.test(fieldManager)) {
      throw new RangeError(
        `"${fieldManager}" can't be the name of a field manager: at most 63 letters, digits, "-", "_", "."`,
      );
    }
    this.#fieldManager = fieldManager;
    this.#annotation = annotationPrefix + fieldManager;
  }

  /** The newest that is known of an object that was read: the cache may be behind this process's own write. */
  newest<T extends KubeObject>(read: T): T {
    let newest: KubeObject = read;
    for (let next: KubeObject | undefined = read; next !== undefined; next = this.#newer.get(next))
      newest = next;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same object, later
    return newest as T;
  }

  /** `read` is the object as a write found it. */
  wrote(read: KubeObject, written: KubeObject): void {
    const newest = this.newest(read);
    if (newest !== written && newest.metadata.uid === written.metadata.uid) this.#newer.set(newest, written);
  }

  isApplied(desired: KubeObject, found: KubeObject): boolean {
    const print = fingerprint(desired);
    if (this.#unchanged.get(found) === print) return true;
    return (
      found.metadata.annotations?.[this.#annotation] === print &&
      covers(desired, found, this.#leftOut.of(desired))
    );
  }

  /**
   * Only over the version that was found: an apply that the network delivers late is refused. Of what wasn't found, no
   * version can be given; there, without force, whatever differs and is somebody else's refuses it.
   */
  patch(desired: KubeObject, found: KubeObject | undefined): Patch {
    const { uid, resourceVersion } = found?.metadata ?? {};
    const { metadata } = desired;
    const body = {
      ...desired,
      metadata: {
        ...metadata,
        annotations: { ...metadata.annotations, [this.#annotation]: fingerprint(desired) },
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      },
    };
    return { type: 'apply', body, fieldManager: this.#fieldManager, force: found !== undefined };
  }

  applied(desired: KubeObject, found: KubeObject | undefined, written: KubeObject): void {
    this.#leftOut.learn(desired, written);
    if (found === undefined) return;
    if (written.metadata.resourceVersion === found.metadata.resourceVersion)
      this.#unchanged.set(found, fingerprint(desired));
    else this.wrote(found, written);
  }
}

/**
 * What is wanted of an object of the resource. Which version it is made of, and on which shard it is, is not the
 * author's to say, even if it was copied from another object.
 */
export function wantedOf(resource: Resource, { metadata, ...fields }: KubeObject): KubeObject {
  const { resourceVersion: _version, uid: _uid, labels, ...rest } = metadata;
  const own = Object.entries(labels ?? {}).filter(([label]) => !isShardingLabel(label));
  return {
    ...fields,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { ...rest, ...(labels && { labels: Object.fromEntries(own) }) },
  };
}
