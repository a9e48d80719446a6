import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import type { Membership } from '../membership/membership.ts';
import type { SharderMetrics } from '../metrics/sharder-metrics.ts';
import { type Hasher, mainObjectKey, placeByHash } from '../placement/rendezvous.ts';
import type { RingScope } from '../rings/ring-scope.ts';
import type { LabelWriter } from './label-writer.ts';

/** What every kind of move of one ring needs. */
export interface RingMoves {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  hasher: Hasher;
  membership: Membership;
  metrics: SharderMetrics;
  scope: RingScope;
  fence: WriteFence;
  writer: LabelWriter;
  /** Moves at a time. */
  concurrency: number;
}

export const placementKey = (resource: Resource, object: PartialObject): string =>
  mainObjectKey(resource.group, resource.kind, object.metadata.namespace, object.metadata.name);

/** The shard that an object is placed on by hash; undefined when none is usable. */
export const placeObject = (
  moves: RingMoves,
  resource: Resource,
  object: PartialObject,
): string | undefined =>
  placeByHash(moves.hasher, placementKey(resource, object), moves.membership.usable(moves.scope.ring));
