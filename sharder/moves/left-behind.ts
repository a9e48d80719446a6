import { type PartialObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { drainLabel, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { controllerInRing, mainOf } from '../rings/ring-scope.ts';
import { Controllers } from './controllers.ts';
import { isHeld } from './held-objects.ts';
import { inTurn } from './in-turn.ts';
import { OwnerTable } from './owner-table.ts';
import type { RingMoves } from './ring-moves.ts';

/** Of more shards, all is listed again: a selector is part of the URL, and anybody can write names. */
const mostNamed = 100;

/** Nodes that are looked at between two looks at the clock. */
const STEP = 1_024;

/**
 * Controlled objects can be left with an old label: created late, of a kind that the shard doesn't watch, adopted, or
 * moved by two sharders at once. Gives each the label of the main object at the top of its controllers, passing over
 * those that are on the move. One that a living shard may work on, since its resource is a main one, too, is drained.
 * Lists all objects, keeps some thirty bytes of each, and lists again for the names of those that were left behind.
 * Returns how many were found; to be called again until there are none.
 */
export async function fetchLeftBehind(moves: RingMoves, signal: AbortSignal): Promise<number> {
  const owners = new Owners(moves);
  await owners.list(signal);
  let found = 0;
  await inTurn(await owners.leftBehind(), signal, async ([resource, shards]) => {
    for await (const left of owners.listAgain(resource, shards, signal)) {
      found += left.length;
      const controllers = new Controllers(moves, signal);
      await moves.limit.forEach('place', left, (object) => fetch(moves, controllers, resource, object));
    }
  });
  return found;
}

/** By what is read now, after the object was: between two lists a hand-over may have begun, or ended. */
async function fetch(
  moves: RingMoves,
  controllers: Controllers,
  resource: Resource,
  object: PartialObject,
): Promise<void> {
  const { scope, writer, membership, metrics } = moves;
  const [shard, drain] = [shardLabel(scope.ring), drainLabel(scope.ring)];
  const { labels } = object.metadata;
  const above = await controllers.above(resource, object);
  if (above.kind !== 'main' || above.moving) return;
  const to = above.mainShard;
  if (to === undefined || to === labels?.[shard]) return;
  if (!isHeld(moves, { resource, object })) {
    const changes = { [shard]: to, ...(labels?.[drain] !== undefined && { [drain]: undefined }) };
    await writer.relabel(resource, object, changes, { controllerUid: true });
    return;
  }
  if (membership.isGivenUp(scope.ring, to)) return;
  const changes = { [shard]: labels?.[shard], [drain]: to };
  const outcome = await writer.relabel(resource, object, changes, { controllerUid: true });
  const { ring: controllerring } = scope;
  if (outcome === 'done')
    metrics.drained({ controllerring, group: resource.group, resource: resource.resource });
}

/** Who controls whom in the ring, and where it is. */
class Owners {
  readonly #moves: RingMoves;
  /** Main resources that control something, and what is controlled; each once. */
  readonly #resources: Resource[];
  readonly #table = new OwnerTable();
  readonly #shards: string[] = [];
  readonly #indexes = new Map<string, number>();

  constructor(moves: RingMoves) {
    this.#moves = moves;
    const all = moves.scope.mains
      .filter(({ controlled }) => controlled.length > 0)
      .flatMap(({ resource, controlled }) => [resource, ...controlled]);
    this.#resources = [...new Map(all.map((resource) => [resourceName(resource), resource])).values()];
  }

  async list(signal: AbortSignal): Promise<void> {
    const slice = new Slice(this.#moves.clock);
    for (const resource of this.#resources) {
      for await (const items of this.#pages(resource, shardLabel(this.#moves.scope.ring), signal)) {
        for (const object of items) this.#note(resource, object);
        await slice.maybeYield();
      }
    }
  }

  /** The shards on which objects were left behind, for each resource of which there are any. */
  async leftBehind(): Promise<Map<Resource, Set<string>>> {
    const slice = new Slice(this.#moves.clock);
    const left = new Map<Resource, Set<string>>();
    for (let node = 0; node < this.#table.size; node += 1) {
      if (node % STEP === 0) await slice.maybeYield();
      if (!this.#table.isLeftBehind(node)) continue;
      const resource = this.#resources[this.#table.resource(node)];
      const shard = this.#shards[this.#table.shard(node)];
      if (resource === undefined || shard === undefined) continue;
      const shards = left.get(resource);
      if (shards) shards.add(shard);
      else left.set(resource, new Set([shard]));
    }
    return left;
  }

  /** What was left behind and still is, as a new list says. */
  async *listAgain(
    resource: Resource,
    shards: ReadonlySet<string>,
    signal: AbortSignal,
  ): AsyncGenerator<PartialObject[]> {
    const label = shardLabel(this.#moves.scope.ring);
    const labelSelector =
      shards.size > mostNamed ? label : `${label} in (${[...shards].toSorted().join(',')})`;
    for await (const items of this.#pages(resource, labelSelector, signal)) {
      yield items.filter((object) => this.#table.isLeftBehind(this.#note(resource, object)));
    }
  }

  #note(resource: Resource, object: PartialObject): number {
    const { scope, hasher } = this.#moves;
    const { labels, uid = '' } = object.metadata;
    const table = this.#table;
    const node = table.node(hasher.hash(uid));
    const controlling = controllerInRing(scope, resource, object);
    const held = controlling !== undefined && isHeld(this.#moves, { resource, object });
    const draining = labels?.[drainLabel(scope.ring)] !== undefined;
    table.note(node, {
      resource: this.#resources.indexOf(resource),
      shard: this.#indexOf(labels?.[shardLabel(scope.ring)] ?? ''),
      controller: controlling && table.node(hasher.hash(controlling.reference.uid)),
      main: mainOf(scope, resource) !== undefined,
      held,
      moving: draining && (held || controlling === undefined),
    });
    return node;
  }

  #indexOf(shard: string): number {
    const known = this.#indexes.get(shard);
    if (known !== undefined) return known;
    this.#indexes.set(shard, this.#shards.length);
    return this.#shards.push(shard) - 1;
  }

  async *#pages(
    resource: Resource,
    labelSelector: string,
    signal: AbortSignal,
  ): AsyncGenerator<PartialObject[]> {
    const { client, scope } = this.#moves;
    const options = { labelSelector, signal, timeoutMs: sharderRequestMs };
    for await (const { items } of client.list<PartialObject>(resource, 'metadata', options)) {
      yield items.filter(({ metadata }) => scope.selects(metadata.namespace) === true);
    }
  }
}
