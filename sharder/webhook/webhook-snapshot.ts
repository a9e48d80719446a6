import type { WeightedShard } from '../placement/rendezvous.ts';
import type { RingScope } from '../rings/ring-scope.ts';

/** All that the webhook knows of a ring when it answers. Never changed once made. */
export interface WebhookSnapshot {
  scope: RingScope;
  /** Shards that get new objects: ready, not cordoned, not draining. */
  usable: readonly WeightedShard[];
  /** Names of all ready shards. */
  ready: ReadonlySet<string>;
  /** Time since the membership was last known to be so, at the time of the request. */
  ageMs: number;
  /** Who the sharder is to the API server. */
  sharderUsername: string;
}
