import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { WriteFence } from '@controller-sharding/shared/lease/write-fence.ts';
import type { Clock } from '@controller-sharding/shared/runtime/clock.ts';
import type { Logger } from '@controller-sharding/shared/runtime/logger.ts';
import { pinLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { Membership } from '../membership/membership.ts';
import type { SharderMetrics } from '../metrics/sharder-metrics.ts';
import { place } from '../placement/place.ts';
import { type Hasher, mainObjectKey } from '../placement/rendezvous.ts';
import type { RingScope } from '../rings/ring-scope.ts';
import type { LabelWriter } from './label-writer.ts';
import type { MoveLimit } from './move-limit.ts';

/** What every kind of move of one ring needs. */
export interface RingMoves {
  client: ApiClient;
  clock: Clock;
  logger: Logger;
  hasher: Hasher;
  membership: Membership;
  metrics: SharderMetrics;
  events: EventSink;
  scope: RingScope;
  fence: WriteFence;
  writer: LabelWriter;
  limit: MoveLimit;
}

export const placementKey = (resource: Resource, object: PartialObject): string =>
  mainObjectKey(resource.group, resource.kind, object.metadata.namespace, object.metadata.name);

/** The shard that a user wants an object on, if that can take it now. */
export function pinnedShard({ membership, scope }: RingMoves, object: PartialObject): string | undefined {
  const pin = object.metadata.labels?.[pinLabel(scope.ring)];
  return pin !== undefined && membership.ring(scope.ring).pinnable.has(pin) ? pin : undefined;
}

/** The shard that an object is given to when it has none to stay on; undefined when none can take it. */
export const placeObject = (
  { hasher, membership, scope }: RingMoves,
  resource: Resource,
  object: PartialObject,
): string | undefined =>
  place(
    hasher,
    placementKey(resource, object),
    object.metadata.labels?.[pinLabel(scope.ring)],
    membership.ring(scope.ring),
  );

/** Whether an object can be given to that shard, or go on to it, now. */
export const canTake = (moves: RingMoves, object: PartialObject, shard: string): boolean =>
  moves.membership.usable(moves.scope.ring).some(({ name }) => name === shard) ||
  pinnedShard(moves, object) === shard;

/** Where an object goes whose move has lost its target: it stays if it can, unless its pin can be followed. */
export function stayOrPlace(moves: RingMoves, resource: Resource, object: PartialObject): string | undefined {
  const shard = object.metadata.labels?.[shardLabel(moves.scope.ring)];
  const stays =
    shard !== undefined && moves.membership.usable(moves.scope.ring).some(({ name }) => name === shard);
  return pinnedShard(moves, object) ?? (stays ? shard : placeObject(moves, resource, object));
}
