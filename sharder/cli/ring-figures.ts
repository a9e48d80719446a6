import type { Membership } from '../membership/membership.ts';
import type { RingFigures } from '../metrics/sharder-metrics.ts';
import type { Rings } from '../rings/rings.ts';

/** What the metrics tell of the rings. */
export const ringFigures = (rings: Rings, membership: Membership): RingFigures[] =>
  rings.all().map(({ ring }) => {
    const { name, generation = 0 } = ring.metadata;
    return {
      ring: name,
      metadataGeneration: generation,
      observedGeneration: ring.status?.observedGeneration ?? 0,
      availableShards: membership.usable(name).length,
      shards: membership
        .shards(name)
        .map(({ shard, state, lease }) => ({ shard, state, namespace: lease.metadata.namespace ?? '' })),
    };
  });
