import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { drainLabel, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { level } from '../placement/level.ts';
import type { WeightedShard } from '../placement/rendezvous.ts';
import { wholeShares } from '../placement/shares.ts';
import { isPlaced, type MainResource } from '../rings/ring-scope.ts';
import { inTurn } from './in-turn.ts';
import { ObjectTableBuilder } from './object-table.ts';
import { pinnedShard, placementKey, type RingMoves } from './ring-moves.ts';

interface Plan {
  /** Object hash → shard it shall move to. */
  targets: Map<string, string>;
  onTheMove: number;
}

export interface Levelled {
  /** Drains that were asked for. */
  drained: number;
  /** Objects that were on the move while the plan was made: where they are too many, none of them could be sent elsewhere. */
  onTheMove: number;
}

/**
 * Levels the ring: asks the shards that hold too much to let some of it go. Lists all main objects, keeps twelve bytes
 * of each while planning, and lists again for the names of those that move, if any do.
 * `stillRight` is asked before every write; when it is false the rest is left for the next plan.
 */
export async function levelRing(
  moves: RingMoves,
  stillRight: () => boolean,
  signal: AbortSignal,
): Promise<Levelled> {
  const shards = moves.membership.usable(moves.scope.ring);
  if (shards.length === 0) return { drained: 0, onTheMove: 0 };
  moves.metrics.calculated(moves.scope.ring);
  const began = moves.clock.monotonic();
  const { targets, onTheMove } = await planLevel(moves, shards, signal);
  moves.metrics.planned(moves.scope.ring, moves.clock.monotonic() - began);
  if (targets.size === 0) return { drained: 0, onTheMove };
  let drained = 0;
  let abandoned = false;
  await inTurn(moves.scope.mains, signal, async (main) => {
    if (abandoned) return;
    for await (const page of mainPages(moves, main, signal)) {
      const moving = page.filter(
        (object) => movable(moves, object) && targets.has(idOf(moves, main, object)),
      );
      await moves.limit.forEach('level', moving, async (object) => {
        const to = targets.get(idOf(moves, main, object));
        const from = object.metadata.labels?.[shardLabel(moves.scope.ring)];
        if (to === undefined || from === undefined || from === to || !stillRight()) return;
        if (await drain(moves, main, object, from, to)) drained += 1;
      });
      abandoned = !stillRight();
      if (abandoned) return;
    }
  });
  return { drained, onTheMove };
}

async function planLevel(
  moves: RingMoves,
  shards: readonly WeightedShard[],
  signal: AbortSignal,
): Promise<Plan> {
  const { scope, hasher, clock } = moves;
  const indexOf = new Map(shards.map(({ name }, index) => [name, index]));
  const loads = shards.map(() => 0);
  const fixed = shards.map(() => 0);
  let onTheMove = 0;
  const table = new ObjectTableBuilder();
  for (const main of scope.mains) {
    for await (const page of mainPages(moves, main, signal)) {
      for (const object of page) {
        const labels = object.metadata.labels ?? {};
        const drainedTo = labels[drainLabel(scope.ring)];
        if (drainedTo !== undefined) onTheMove += 1;
        // On the move, or to be moved because of its pin: counts where it goes, and isn't moved for the level.
        const target = drainedTo ?? pinnedShard(moves, object);
        const shard = indexOf.get(target ?? labels[shardLabel(scope.ring)] ?? '');
        if (shard === undefined) continue;
        loads[shard] = (loads[shard] ?? 0) + 1;
        if (target !== undefined) fixed[shard] = (fixed[shard] ?? 0) + 1;
        table.add(hasher.hash(placementKey(main.resource, object)), target === undefined ? shard : -1);
      }
    }
  }
  const objects = table.build();
  const loaded = shards.map((shard, index) => ({
    ...shard,
    load: loads[index] ?? 0,
    fixed: fixed[index] ?? 0,
  }));
  const shares = wholeShares(loaded);
  const shardLoads = loaded.map(({ name, load }, index) => ({
    shard: name,
    load,
    share: shares[index] ?? 0,
  }));
  moves.metrics.loaded(scope.ring, shardLoads);
  const planned = await level({ hasher, shards: loaded, objects }, new Slice(clock));
  const targets = new Map(
    planned.map(({ index, to }) => [`${objects.high[index]}:${objects.low[index]}`, to]),
  );
  return { targets, onTheMove };
}

async function* mainPages(
  { client, scope }: RingMoves,
  main: MainResource,
  signal: AbortSignal,
): AsyncGenerator<PartialObject[]> {
  const options = { labelSelector: shardLabel(scope.ring), signal, timeoutMs: sharderRequestMs };
  for await (const { items } of client.list(main.resource, 'metadata', options)) {
    yield items.filter((object) => isPlaced(scope, main.resource, object));
  }
}

const movable = (moves: RingMoves, object: PartialObject): boolean =>
  object.metadata.labels?.[drainLabel(moves.scope.ring)] === undefined &&
  pinnedShard(moves, object) === undefined;

function idOf({ hasher }: RingMoves, main: MainResource, object: PartialObject): string {
  const { high, low } = hasher.hash(placementKey(main.resource, object));
  return `${high}:${low}`;
}

async function drain(
  { writer, metrics, scope }: RingMoves,
  main: MainResource,
  object: PartialObject,
  from: string,
  to: string,
): Promise<boolean> {
  const changes = { [shardLabel(scope.ring)]: from, [drainLabel(scope.ring)]: to };
  if ((await writer.relabel(main.resource, object, changes)) !== 'done') return false;
  const { group, resource } = main.resource;
  metrics.drained({ controllerring: scope.ring, group, resource });
  return true;
}
