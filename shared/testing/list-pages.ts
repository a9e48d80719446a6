import type { KubeObject, Resource } from '../kube/types.ts';
import { objectKey, resourceName } from '../kube/types.ts';
import { isObject } from './json.ts';
import type { ObjectStore } from './object-store.ts';
import { badRequest, expiredContinue } from './status-errors.ts';

/** So many snapshots are kept for lists under way; the oldest expire. */
const maxSnapshots = 1_000;

export interface Page {
  items: KubeObject[];
  resourceVersion: string;
  continue: string | undefined;
}

/** Lists in pages that all show the state at the time of the first. */
export class ListPages {
  readonly #store: ObjectStore;
  readonly #snapshots = new Map<string, readonly KubeObject[]>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /**
   * A full page has a token when anything follows in its namespace, whether it is selected or not. `limit` 0: all.
   * Throws ApiError 400 for a token that isn't one, 410 when its snapshot is no longer kept.
   */
  page(
    resource: Resource,
    namespace: string | undefined,
    selected: (object: KubeObject) => boolean,
    limit: number,
    token?: string,
  ): Page {
    const { version, after } =
      token === undefined ? { version: this.#store.version, after: '' } : parse(token);
    const name = `${resourceName(resource)} ${version}`;
    const objects = token === undefined ? this.#store.list(resource) : this.#snapshots.get(name);
    if (!objects) throw expiredContinue();
    const items: KubeObject[] = [];
    for (const object of objects) {
      if (namespace !== undefined && object.metadata.namespace !== namespace) continue;
      if (objectKey(object.metadata) <= after) continue;
      if (limit > 0 && items.length === limit) {
        this.#keep(name, objects);
        return { items, resourceVersion: String(version), continue: format(version, items.at(-1)) };
      }
      if (selected(object)) items.push(object);
    }
    return { items, resourceVersion: String(version), continue: undefined };
  }

  /** Lists under way can't go on. */
  expire(): void {
    this.#snapshots.clear();
  }

  #keep(name: string, objects: readonly KubeObject[]): void {
    this.#snapshots.set(name, objects);
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > maxSnapshots && oldest !== undefined) this.#snapshots.delete(oldest);
  }
}

const format = (version: number, last: KubeObject | undefined): string => {
  const start = `/${last ? objectKey(last.metadata) : ''}\u0000`;
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString('base64url');
};

function parse(token: string): { version: number; after: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (isObject(parsed) && typeof parsed['rv'] === 'number' && typeof parsed['start'] === 'string') {
      return { version: parsed['rv'], after: parsed['start'].slice(1, -1) };
    }
  } catch {} // not JSON: the same answer
  throw badRequest('invalid continue token: continue key is not valid');
}
