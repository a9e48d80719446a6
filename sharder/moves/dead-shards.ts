import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { controllerInRing, isPlaced, type MainResource, scopeResources } from '../rings/ring-scope.ts';
import { listControlled } from './controlled-lists.ts';
import { Controllers } from './controllers.ts';
import { movable } from './held-objects.ts';
import { inTurn } from './in-turn.ts';
import { moveOwner } from './move-owner.ts';
import { canTake, placeObject, type RingMoves } from './ring-moves.ts';

const mostInWave = 5_000;

/**
 * Moves everything away from a given-up shard: lists its objects again and again, until a list begun after the last
 * move ended finds none. Resolves to false when it had to stop before: the shard is back, none is usable, or nothing
 * could be moved now.
 */
export async function emptyDeadShard(moves: RingMoves, shard: string, signal: AbortSignal): Promise<boolean> {
  const { membership, scope, metrics, clock } = moves;
  const foundAt = clock.monotonic();
  for (;;) {
    let found = 0;
    let moved = 0;
    const canMove = (): boolean => membership.usable(scope.ring).length > 0;
    await inTurn(scope.mains, signal, async (main) => {
      for await (const wave of mainsOf(moves, main, shard, signal)) {
        found += wave.length;
        if (!canMove()) return;
        metrics.calculated(scope.ring);
        moved += await moveWave(moves, main, { shard, foundAt }, wave, signal);
      }
    });
    if (found === 0) return true;
    if (!canMove() || !membership.isGivenUp(scope.ring, shard)) return false;
    if (moved === 0) return false;
  }
}

/** Whether nothing that the ring moves carries the shard's name: neither main nor controlled objects. */
export async function isShardEmpty(moves: RingMoves, shard: string, signal: AbortSignal): Promise<boolean> {
  const { client, scope } = moves;
  const labelSelector = `${shardLabel(scope.ring)}=${shard}`;
  for (const resource of scopeResources(scope)) {
    for await (const { items } of client.list(resource, 'metadata', { labelSelector, signal })) {
      const controllers = new Controllers(moves, signal);
      for (const object of items) {
        if (!selected(moves, object)) continue;
        if (isPlaced(scope, resource, object)) return false;
        if (controllerInRing(scope, resource, object) === undefined) continue;
        // Without its owner it is for the garbage collector, whatever label it carries.
        if ((await controllers.above(resource, object)).kind === 'main') return false;
      }
    }
  }
  return true;
}

const selected = ({ scope }: RingMoves, object: PartialObject): boolean =>
  scope.selects(object.metadata.namespace) === true;

async function* mainsOf(
  moves: RingMoves,
  main: MainResource,
  shard: string,
  signal: AbortSignal,
): AsyncGenerator<PartialObject[]> {
  const labelSelector = `${shardLabel(moves.scope.ring)}=${shard}`;
  const options = { labelSelector, signal, timeoutMs: sharderRequestMs };
  let wave: PartialObject[] = [];
  for await (const { items } of moves.client.list(main.resource, 'metadata', options)) {
    wave.push(...items.filter((object) => isPlaced(moves.scope, main.resource, object)));
    if (wave.length < mostInWave) continue;
    yield wave;
    wave = [];
  }
  if (wave.length > 0) yield wave;
}

async function moveWave(
  moves: RingMoves,
  main: MainResource,
  { shard, foundAt }: { shard: string; foundAt: number },
  owners: PartialObject[],
  signal: AbortSignal,
): Promise<number> {
  const { client, clock, scope, membership, writer, metrics } = moves;
  const children = await listControlled(client, scope, main.resource, owners, signal);
  let moved = 0;
  await moves.limit.forEach('rescue', owners, async (owner) => {
    const to = placeObject(moves, main.resource, owner);
    if (to === undefined) return;
    const outcome = await moveOwner(writer, {
      ring: scope.ring,
      resource: main.resource,
      owner,
      to,
      children: movable(moves, children.get(owner.metadata.uid ?? '')),
      stillRight: async () =>
        canTake(moves, owner, to) && (await membership.confirmGivenUp(scope.ring, shard, signal)),
    });
    if (outcome !== 'done') return;
    moved += 1;
    metrics.moveTook(scope.ring, 'given-up', clock.monotonic() - foundAt);
    const { group, resource } = main.resource;
    metrics.moved({ controllerring: scope.ring, group, resource });
  });
  return moved;
}
