import { type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import type { Membership } from '../membership/membership.ts';
import type { RingShards } from '../membership/ring-shards.ts';
import { type MainResource, mainOf, type RingScope, scopeResources } from '../rings/ring-scope.ts';
import type { Rings } from '../rings/rings.ts';

export interface SnapshotResource {
  readonly resource: Resource;
  /** Undefined: its objects are only controlled ones. */
  readonly main: MainResource | undefined;
}

/** All that the webhook knows of a ring when it answers. Never changed once made. */
export interface WebhookSnapshot {
  readonly scope: RingScope;
  readonly shards: RingShards;
  /** By `resourceName`. */
  readonly resources: ReadonlyMap<string, SnapshotResource>;
}

export const webhookSnapshot = (scope: RingScope, shards: RingShards): WebhookSnapshot =>
  Object.freeze({
    scope,
    shards,
    resources: new Map(
      scopeResources(scope).map((resource) => [
        resourceName(resource),
        { resource, main: mainOf(scope, resource) },
      ]),
    ),
  });

/** The present snapshot of each ring, made anew only when the ring or its shards have changed. */
export class WebhookSnapshots {
  readonly #rings: Pick<Rings, 'get'>;
  readonly #membership: Pick<Membership, 'ring' | 'ageMs'>;
  readonly #made = new Map<string, WebhookSnapshot>();

  constructor(rings: Pick<Rings, 'get'>, membership: Pick<Membership, 'ring' | 'ageMs'>) {
    this.#rings = rings;
    this.#membership = membership;
  }

  /** Undefined when there is no such ring. */
  get(ring: string): WebhookSnapshot | undefined {
    const known = this.#rings.get(ring);
    if (known === undefined) {
      this.#made.delete(ring);
      return undefined;
    }
    const shards = this.#membership.ring(ring);
    const made = this.#made.get(ring);
    if (made?.scope === known.scope && made.shards === shards) return made;
    const snapshot = webhookSnapshot(known.scope, shards);
    this.#made.set(ring, snapshot);
    return snapshot;
  }

  /** Time since the membership was last known to be so. */
  get ageMs(): number {
    return this.#membership.ageMs;
  }
}
