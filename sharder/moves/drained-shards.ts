import { drainLabel, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { isPlaced } from '../rings/ring-scope.ts';
import { inTurn } from './in-turn.ts';
import { placeObject, type RingMoves } from './ring-moves.ts';

/**
 * Asks a living shard to let go of everything it has, each object towards where it is placed now. Lists until nothing
 * is found that isn't on the move; returns the number of drains that were asked for. Stops when the shard isn't to be
 * drained any more, or no other can take its objects.
 */
export async function drainShard(moves: RingMoves, shard: string, signal: AbortSignal): Promise<number> {
  const { client, membership, scope, writer, metrics, limit } = moves;
  const labelSelector = `${shardLabel(scope.ring)}=${shard},!${drainLabel(scope.ring)}`;
  const wanted = (): boolean => membership.ring(scope.ring).draining.includes(shard);
  let drained = 0;
  await inTurn(scope.mains, signal, async ({ resource }) => {
    if (!wanted()) return;
    const options = { labelSelector, signal, timeoutMs: sharderRequestMs };
    for await (const { items } of client.list(resource, 'metadata', options)) {
      const selected = items.filter((object) => isPlaced(scope, resource, object));
      await limit.forEach('level', selected, async (object) => {
        const to = placeObject(moves, resource, object);
        if (to === undefined || !wanted()) return;
        const changes = { [shardLabel(scope.ring)]: shard, [drainLabel(scope.ring)]: to };
        if ((await writer.relabel(resource, object, changes)) !== 'done') return;
        drained += 1;
        metrics.drained({ controllerring: scope.ring, group: resource.group, resource: resource.resource });
      });
      if (!wanted()) return;
    }
  });
  return drained;
}
