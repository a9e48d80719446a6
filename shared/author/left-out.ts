import type { KubeObject } from '../kube/types.ts';
import { covers, type FieldPath, type LeavesOut } from './covers.ts';

/** Far more than the fields of all kinds that an operator applies. */
const maxPlaces = 1_000;

/**
 * Where the API server leaves out what is empty (`{}`, `[]`, `''`, `false`, 0) and where it keeps it depends on the Go type
 * of the field, and for some the difference counts: without `automountServiceAccountToken: false` the token is mounted.
 * So it is learned from the answers to what was applied.
 */
export class LeftOut {
  readonly #places = new Set<string>();

  of(object: KubeObject): LeavesOut {
    return (path) => isMetadata(path) || this.#places.has(placeOf(object, path));
  }

  /** `answer` is what the API server made of what was applied. */
  learn(applied: KubeObject, answer: KubeObject): void {
    covers(applied, answer, (path) => {
      if (this.#places.size < maxPlaces) this.#places.add(placeOf(applied, path));
      return true;
    });
  }
}

/** No labels, annotations, finalizers or owners: the same for all kinds. */
const isMetadata = ([first, ...rest]: FieldPath): boolean => first === 'metadata' && rest.length === 1;

const placeOf = ({ apiVersion = '', kind = '' }: KubeObject, path: FieldPath): string =>
  JSON.stringify([apiVersion, kind, ...path]);
