import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { drainLabel, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { controllingMain, type MainResource } from '../rings/ring-scope.ts';
import type { Controlled } from './controlled-lists.ts';
import { forEachConcurrently } from './for-each.ts';
import { readOwner } from './read-owner.ts';
import type { RingMoves } from './ring-moves.ts';

/** Owner uid → its shard, or null while it is on the move. */
type OwnerShards = Map<string, string | null>;

/**
 * Controlled objects can be left with an old label: created late, of a kind that the shard doesn't watch, or moved by
 * two sharders at once. Gives each the label of its owner, passing over owners that are on the move.
 * Returns how many were found; to be called again until there are none.
 */
export async function fetchLeftBehind(moves: RingMoves, signal: AbortSignal): Promise<number> {
  let found = 0;
  for (const main of moves.scope.mains) {
    if (main.controlled.length === 0) continue;
    const owners = await ownerShards(moves, main, signal);
    for await (const left of leftBehind(moves, main, owners, signal)) {
      found += left.length;
      await forEachConcurrently(left, moves.concurrency, async ({ resource, object }) => {
        const shard = await shardOfOwner(moves, resource, object, signal);
        if (shard === undefined || shard === object.metadata.labels?.[shardLabel(moves.scope.ring)]) return;
        const changes = { [shardLabel(moves.scope.ring)]: shard };
        await moves.writer.relabel(resource, object, changes, { controllerUid: true });
      });
    }
  }
  return found;
}

/** Read now, after the object was: between two lists a hand-over may have begun, or ended. */
async function shardOfOwner(
  { client, scope }: RingMoves,
  resource: Resource,
  object: PartialObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const control = controllingMain(scope, resource, object);
  if (control === undefined) return undefined;
  const owner = await readOwner(client, control, object, signal);
  if (owner?.metadata.labels?.[drainLabel(scope.ring)] !== undefined) return undefined;
  return owner?.metadata.labels?.[shardLabel(scope.ring)];
}

async function ownerShards(moves: RingMoves, main: MainResource, signal: AbortSignal): Promise<OwnerShards> {
  const { client, scope, clock } = moves;
  const options = { labelSelector: shardLabel(scope.ring), signal, timeoutMs: sharderRequestMs };
  const owners: OwnerShards = new Map();
  // One string for each shard, however many objects carry it.
  const names = new Map<string, string>();
  const slice = new Slice(clock);
  for await (const { items } of client.list<PartialObject>(main.resource, 'metadata', options)) {
    for (const { metadata } of items) {
      const shard = metadata.labels?.[shardLabel(scope.ring)] ?? '';
      if (!names.has(shard)) names.set(shard, shard);
      const moving = metadata.labels?.[drainLabel(scope.ring)] !== undefined;
      owners.set(metadata.uid ?? '', moving ? null : (names.get(shard) ?? null));
    }
    await slice.maybeYield();
  }
  return owners;
}

async function* leftBehind(
  { client, scope }: RingMoves,
  main: MainResource,
  owners: OwnerShards,
  signal: AbortSignal,
): AsyncGenerator<Controlled[]> {
  const options = { labelSelector: shardLabel(scope.ring), signal, timeoutMs: sharderRequestMs };
  for (const resource of main.controlled) {
    for await (const { items } of client.list<PartialObject>(resource, 'metadata', options)) {
      yield items
        .filter((object) => {
          const control = controllingMain(scope, resource, object);
          if (control === undefined || control.main !== main) return false;
          if (scope.selects(object.metadata.namespace) !== true) return false;
          const shard = owners.get(control.reference.uid);
          return Boolean(shard) && object.metadata.labels?.[shardLabel(scope.ring)] !== shard;
        })
        .map((object) => ({ resource, object }));
    }
  }
}
