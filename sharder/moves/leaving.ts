import {
  controllerOf,
  type PartialObject,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';
import {
  drainLabel,
  settleMs,
  sharderRequestMs,
  shardLabel,
} from '@controller-sharding/shared/sharding/contract.ts';
import { hasLeft, labelledScope } from '../rings/belonging.ts';
import { controllerInRing, type MainResource, mainOf, type RingScope } from '../rings/ring-scope.ts';
import { listControlled } from './controlled-lists.ts';
import type { Drains } from './drains.ts';
import { fullListMs, longestAgainMs } from './full-list-times.ts';
import { isHeld } from './held-objects.ts';
import { inTurn } from './in-turn.ts';
import { moveOwner } from './move-owner.ts';
import type { RingMoves } from './ring-moves.ts';

const againMs = 2_000;
/** While shards have not let go yet there is little new to find. */
const unansweredMs = 600_000;

/**
 * Objects that left the ring, since their resource or namespace is no longer selected: their shards are asked to let
 * go of them to nobody, and remove all labels, controlled objects first. The sharder itself removes those of given-up
 * shards, and of controlled objects that were left behind. All is listed at the start and now and then.
 */
export class Leaving {
  readonly #moves: RingMoves;
  readonly #drains: Drains;
  readonly #noneLeft: (signal: AbortSignal) => Promise<void>;
  readonly #labelled: RingScope;
  /** Before this time (monotonic ms) somebody with an older view may still label what has left. */
  readonly #settledAt: number;
  #due: { at: number; latest: number };
  #pauseMs = againMs;
  /** Of what is on the move, what was checked. */
  #checkedAt = -1;
  #isToldClean = false;

  /** `noneLeft` is called once nothing of the resources that left carries a label any more, nor will. */
  constructor(moves: RingMoves, drains: Drains, noneLeft: (signal: AbortSignal) => Promise<void>) {
    this.#moves = moves;
    this.#drains = drains;
    this.#noneLeft = noneLeft;
    this.#labelled = labelledScope(moves.scope);
    const now = moves.clock.monotonic();
    this.#settledAt = now + settleMs;
    this.#due = { at: now, latest: now };
  }

  async letGo(signal: AbortSignal): Promise<void> {
    await this.#releaseGivenUp(signal);
    const now = this.#moves.clock.monotonic();
    if (now < this.#due.at || (now < this.#due.latest && (await this.#areLeaving()))) return;
    const again = now + this.#pauseMs;
    this.#due = { at: again, latest: again };
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestAgainMs);
    if ((await this.#look(signal)) > 0) {
      this.#due = { at: again, latest: now + unansweredMs };
      return;
    }
    this.#pauseMs = againMs;
    const next = now < this.#settledAt ? this.#settledAt : now + fullListMs;
    this.#due = { at: next, latest: next };
    if (now < this.#settledAt || this.#isToldClean) return;
    await this.#noneLeft(signal);
    this.#isToldClean = true;
  }

  async #areLeaving(): Promise<boolean> {
    const { scope } = this.#moves;
    return (await this.#drains.filter((resource, object) => hasLeft(scope, resource, object))).length > 0;
  }

  /** Asks, or acts, for all that has left and carries the ring's label. Returns how many there were. */
  async #look(signal: AbortSignal): Promise<number> {
    const { client, scope } = this.#moves;
    const options = { labelSelector: shardLabel(scope.ring), signal, timeoutMs: sharderRequestMs };
    let found = 0;
    await inTurn(this.#labelled.mains, signal, async (main) => {
      for await (const { items } of client.list<PartialObject>(main.resource, 'metadata', options)) {
        const left = items.filter((object) => this.#isOwnerThatLeft(main, object));
        found += left.length;
        await this.#askToLetGo(main, left);
        await this.#release(main, left, signal);
      }
    });
    // While there are owners, their controlled objects are theirs to let go.
    return found > 0 ? found : this.#fetchLeftBehind(signal);
  }

  #isOwnerThatLeft({ resource }: MainResource, object: PartialObject): boolean {
    const controlling = controllerInRing(this.#labelled, resource, object);
    return controlling === undefined && hasLeft(this.#moves.scope, resource, object);
  }

  async #askToLetGo(main: MainResource, objects: readonly PartialObject[]): Promise<void> {
    const { scope, membership, writer, metrics, limit } = this.#moves;
    const { group, resource } = main.resource;
    const asked = objects.filter(({ metadata: { labels } }) => labels?.[drainLabel(scope.ring)] !== '');
    await limit.forEach('level', asked, async (object) => {
      const shard = object.metadata.labels?.[shardLabel(scope.ring)];
      if (shard === undefined || membership.isGivenUp(scope.ring, shard)) return;
      if (!hasLeft(scope, main.resource, object)) return;
      const changes = { [shardLabel(scope.ring)]: shard, [drainLabel(scope.ring)]: '' };
      if ((await writer.relabel(main.resource, object, changes)) !== 'done') return;
      metrics.drained({ controllerring: scope.ring, group, resource });
    });
  }

  /** Objects on their way out, or elsewhere, whose shard was given up meanwhile. */
  async #releaseGivenUp(signal: AbortSignal): Promise<void> {
    const { changes } = this.#drains;
    if (changes === this.#checkedAt) return;
    const nobodys = new Map<string, boolean>();
    const left = await this.#drains.filter((resource, object) => {
      const shard = object.metadata.labels?.[shardLabel(this.#moves.scope.ring)] ?? '';
      const isNobodys = nobodys.get(shard) ?? this.#isNobodys(object);
      nobodys.set(shard, isNobodys);
      const main = isNobodys ? mainOf(this.#labelled, resource) : undefined;
      return main !== undefined && hasLeft(this.#moves.scope, resource, object);
    });
    const byResource = Map.groupBy(left, ({ resource }) => resourceName(resource));
    for (const main of this.#labelled.mains) {
      const objects = byResource.get(resourceName(main.resource)) ?? [];
      await this.#release(
        main,
        objects.map(({ object }) => object),
        signal,
      );
    }
    this.#checkedAt = changes;
  }

  #isNobodys({ metadata }: PartialObject): boolean {
    const { scope, membership } = this.#moves;
    const shard = metadata.labels?.[shardLabel(scope.ring)];
    return shard === undefined || membership.isGivenUp(scope.ring, shard);
  }

  /** Removes the labels of those that no living shard works on: the controlled objects' first. */
  async #release(main: MainResource, objects: readonly PartialObject[], signal: AbortSignal): Promise<void> {
    const { client, scope, membership, writer, limit } = this.#moves;
    const owners = objects.filter((object) => this.#isNobodys(object));
    if (owners.length === 0) return;
    const children = await listControlled(client, this.#labelled, main.resource, owners, signal);
    await limit.forEach('level', owners, async (owner) => {
      const shard = owner.metadata.labels?.[shardLabel(scope.ring)];
      await moveOwner(writer, {
        ring: scope.ring,
        resource: main.resource,
        owner,
        to: undefined,
        children: children.get(owner.metadata.uid ?? '') ?? [],
        stillRight: async () =>
          hasLeft(scope, main.resource, owner) &&
          (shard === undefined || (await membership.confirmGivenUp(scope.ring, shard, signal))),
      });
    });
  }

  /** Controlled objects that still carry a label after their owners, or their resource alone, have left. */
  async #fetchLeftBehind(signal: AbortSignal): Promise<number> {
    const { client, scope, writer, limit } = this.#moves;
    const options = { labelSelector: shardLabel(scope.ring), signal, timeoutMs: sharderRequestMs };
    const resources = new Map(
      this.#labelled.mains
        .flatMap(({ controlled }) => controlled)
        .map((entry) => [resourceName(entry), entry]),
    );
    let found = 0;
    for (const resource of resources.values()) {
      for await (const { items } of client.list<PartialObject>(resource, 'metadata', options)) {
        const left = items.filter((object) => hasLeft(scope, resource, object));
        found += left.length;
        const [held = [], free = []] = [true, false].map((isHeldNow) =>
          left.filter((object) => this.#isHeld(resource, object) === isHeldNow),
        );
        const main = mainOf(this.#labelled, resource);
        if (main !== undefined) await this.#askToLetGo(main, held);
        await limit.forEach('level', free, async (object) => {
          if (!hasLeft(scope, resource, object) || this.#isHeld(resource, object)) return;
          const changes = { [shardLabel(scope.ring)]: undefined, [drainLabel(scope.ring)]: undefined };
          const controllerUid = controllerOf(object) !== undefined;
          await writer.relabel(resource, object, changes, { controllerUid });
        });
      }
    }
    return found;
  }

  /** Controlled, and of a main resource, too: its shard may reconcile it. */
  #isHeld(resource: Resource, object: PartialObject): boolean {
    return isHeld({ ...this.#moves, scope: this.#labelled }, { resource, object });
  }
}
