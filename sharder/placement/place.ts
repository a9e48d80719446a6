import { type Hasher, placeByHash, type WeightedShard } from './rendezvous.ts';

export interface PlaceInput {
  hasher: Hasher;
  /** The object's `mainObjectKey`. */
  key: string;
  /** The shard that the object is assigned to now. */
  current?: string | undefined;
  /** Shards that get new objects: ready, not cordoned, not draining. */
  usable: readonly WeightedShard[];
}

/** The shard of a main object: an object on a usable shard stays, any other is placed by hash. Undefined: no shard. */
export function place({ hasher, key, current, usable }: PlaceInput): string | undefined {
  if (current !== undefined && usable.some(({ name }) => name === current)) return current;
  return placeByHash(hasher, key, usable);
}
