import { type Hasher, placeByHash, type WeightedShard } from './rendezvous.ts';

/** The shards between which an object is placed. */
export interface PlacementShards {
  /** Ready, neither cordoned nor draining. */
  usable: readonly WeightedShard[];
  /** Names of those to which an object may be pinned: ready and not draining. */
  pinnable: ReadonlySet<string>;
}

/**
 * The shard of an object that has none to stay on: the one it is pinned to, if that can take it, else the one by hash.
 * Undefined when no shard can take it.
 */
export const place = (
  hasher: Hasher,
  key: string,
  pin: string | undefined,
  { usable, pinnable }: PlacementShards,
): string | undefined => (pin !== undefined && pinnable.has(pin) ? pin : placeByHash(hasher, key, usable));
