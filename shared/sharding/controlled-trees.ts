import { controllerOf, type KubeObject, type PartialObject, type Resource, refersTo } from '../kube/types.ts';

export interface Controlled {
  resource: Resource;
  object: KubeObject;
}

/** So many controllers may stand above an object: owner references that go on for longer lead nowhere. */
export const mostLevels = 16;

/**
 * Finds the controlled objects of some owners, at any depth, among the objects of lists: one list for each resource, in
 * any order, though the least is kept where resources are listed after those that control them.
 */
export class ControlledTrees {
  /** Uid of an owner, or of an object in its tree → uid of the owner. */
  readonly #ownerOf = new Map<string, string>();
  readonly #trees = new Map<string, Controlled[]>();
  /** By their controller's uid: objects whose controller may be found later. */
  readonly #waiting = new Map<string, Controlled[]>();
  #toCome: Resource[];

  /** `resources`: all that will be listed. */
  constructor(ownerUids: Iterable<string>, resources: readonly Resource[]) {
    for (const uid of ownerUids) this.#ownerOf.set(uid, uid);
    this.#toCome = [...resources];
  }

  add(resource: Resource, object: PartialObject): void {
    const reference = controllerOf(object);
    if (reference === undefined) return;
    const owner = this.#ownerOf.get(reference.uid);
    if (owner !== undefined) this.#take(owner, { resource, object: slim(object) });
    else if (this.#toCome.some((other) => refersTo(reference, other)))
      push(this.#waiting, reference.uid, { resource, object: slim(object) });
  }

  /** To be called after the last object of a resource: none that it controls is waited for any more. */
  listed(resource: Resource): void {
    const waits = [...this.#waiting.values()].some((objects) =>
      objects.some((waiting) => waiting.resource === resource),
    );
    if (!waits) this.#toCome = this.#toCome.filter((other) => other !== resource);
  }

  /** All that an owner controls, directly or not. */
  of(ownerUid: string): Controlled[] {
    return this.#trees.get(ownerUid) ?? [];
  }

  #take(owner: string, found: Controlled): void {
    const taking = [found];
    for (let next = taking.pop(); next !== undefined; next = taking.pop()) {
      const uid = next.object.metadata.uid ?? '';
      // A circle of references.
      if (this.#ownerOf.has(uid)) continue;
      this.#ownerOf.set(uid, owner);
      push(this.#trees, owner, next);
      taking.push(...(this.#waiting.get(uid) ?? []));
      this.#waiting.delete(uid);
    }
  }
}

/** What a patch of its labels needs to know of an object. */
const slim = ({ metadata }: PartialObject): PartialObject => {
  const { name, namespace, uid, resourceVersion, labels, ownerReferences } = metadata;
  return {
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(labels && { labels }),
      ...(ownerReferences && { ownerReferences }),
    },
  };
};

function push(lists: Map<string, Controlled[]>, key: string, entry: Controlled): void {
  const list = lists.get(key);
  if (list) list.push(entry);
  else lists.set(key, [entry]);
}
