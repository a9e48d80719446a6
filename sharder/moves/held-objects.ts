import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { Controlled } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import { mainOf } from '../rings/ring-scope.ts';
import type { RingMoves } from './ring-moves.ts';

/** Whether a living shard may reconcile a controlled object, since its resource is a main one, too: it has to let go first. */
export function isHeld({ scope, membership }: RingMoves, { resource, object }: Controlled): boolean {
  const shard = object.metadata.labels?.[shardLabel(scope.ring)];
  return (
    shard !== undefined && mainOf(scope, resource) !== undefined && !membership.isGivenUp(scope.ring, shard)
  );
}

/** Of an owner's controlled objects, those that the sharder itself takes along. */
export const movable = (moves: RingMoves, children: readonly Controlled[] = []): Controlled[] =>
  children.filter(
    (child) => moves.scope.selects(child.object.metadata.namespace) === true && !isHeld(moves, child),
  );
