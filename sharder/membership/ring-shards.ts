import type { WeightedShard } from '../placement/rendezvous.ts';
import type { ShardView } from './membership.ts';
import { isGivenUp } from './shard-state.ts';

/** What may be given to the shards of one ring. */
export interface RingShards {
  /** Those that get objects: ready, neither cordoned nor draining, nor settling while another is not; by name. */
  usable: readonly WeightedShard[];
  /** Names of all that work, also of those that get nothing new; sorted. */
  ready: readonly string[];
  /** Names of those to which a user may pin an object: ready and not draining. */
  pinnable: ReadonlySet<string>;
  /** Names of those that work and give everything away; sorted. */
  draining: readonly string[];
}

/**
 * Of the Leases of one name, in whatever namespaces, those that claim it: what a shard of that name left elsewhere, when
 * it was released there or taken over, doesn't.
 */
export function claimants(sameName: readonly ShardView[]): readonly ShardView[] {
  const claiming = sameName.filter(({ state }) => !isGivenUp(state));
  return claiming.length > 0 ? claiming : sameName;
}

/** Pure, and the same for every order of the views. A name that two Leases claim is nobody's. */
export function ringShards(views: readonly ShardView[]): RingShards {
  const ready = [...Map.groupBy(views, ({ shard }) => shard).values()]
    .map(claimants)
    .flatMap(([view, ...others]) => (view?.state === 'ready' && others.length === 0 ? [view] : []))
    .toSorted((a, b) => (a.shard < b.shard ? -1 : 1));
  const open = ready.filter(({ settings }) => !settings.cordoned && !settings.draining);
  const settled = open.filter(({ settings }) => !settings.settling);
  return {
    usable: (settled.length > 0 ? settled : open).map(({ shard, settings }) => ({
      name: shard,
      weight: settings.weight,
    })),
    ready: ready.map(({ shard }) => shard),
    pinnable: new Set(ready.filter(({ settings }) => !settings.draining).map(({ shard }) => shard)),
    draining: ready.filter(({ settings }) => settings.draining).map(({ shard }) => shard),
  };
}
