import type { EventSink } from '@controller-sharding/shared/events/event-recorder.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { type PartialObject, type Resource, resourceName } from '@controller-sharding/shared/kube/types.ts';
import { Slice } from '@controller-sharding/shared/runtime/event-loop.ts';
import { drainLabel, pinLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { controllerInRing, mainOf, scopeResources } from '../rings/ring-scope.ts';
import { inTurn } from './in-turn.ts';
import { pollingMs } from './polling.ts';
import type { RingMoves } from './ring-moves.ts';

/** Of more objects that can't follow their pins, nothing is told. */
const mostTold = 1_000;

/**
 * The objects that users pinned to a shard: each is drained towards it as soon as that can take it. What can't be done
 * is told by an Event on the object.
 */
export class Pins {
  readonly #moves: RingMoves;
  readonly #events: EventSink;
  readonly #informers: Array<{ resource: Resource; informer: Informer<PartialObject> }>;
  #unchecked = true;
  /** What was told, for as long as it is so. */
  #told = new Set<string>();

  /** `changed` is called whenever a pinned object came, went or changed. */
  constructor(moves: RingMoves, events: EventSink, changed: () => void) {
    this.#moves = moves;
    this.#events = events;
    const { client, clock, logger, scope } = moves;
    this.#informers = scopeResources(scope).map((resource) => {
      const informer = new Informer<PartialObject>({
        client,
        clock,
        resource,
        form: 'metadata',
        labelSelector: pinLabel(scope.ring),
        // A pin is no object that waits.
        pollMs: () => pollingMs(0),
        logger: logger.child({ informer: `pinned ${resourceName(resource)}` }),
        keep: (object) => scope.selects(object.metadata.namespace) !== false,
      });
      const note = (): void => {
        this.#unchecked = true;
        changed();
      };
      informer.addHandler({ added: note, updated: note, deleted: note });
      return { resource, informer };
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map(({ informer }) => informer.run(signal)));
  }

  /** The membership changed: pins may be followed now that couldn't before. */
  membershipChanged(): void {
    this.#unchecked = true;
  }

  /**
   * Asks the shards of objects that are pinned elsewhere to let go. Objects of given-up shards are moved, not drained.
   * Does nothing while nothing has changed.
   */
  async apply(): Promise<void> {
    if (!this.#unchecked) return;
    this.#unchecked = false;
    try {
      await this.#apply();
    } catch (error) {
      this.#unchecked = true;
      throw error;
    }
  }

  async #apply(): Promise<void> {
    const { scope, membership, limit } = this.#moves;
    const told = new Set<string>();
    const slice = new Slice(this.#moves.clock);
    await inTurn(this.#informers, undefined, async ({ resource, informer }) => {
      const misplaced: PartialObject[] = [];
      for (const object of informer.store.list()) {
        if (slice.isOver) await slice.maybeYield();
        if (scope.selects(object.metadata.namespace) !== true) continue;
        if (!this.#counts(resource, object, told)) continue;
        const { labels } = object.metadata;
        const shard = labels?.[shardLabel(scope.ring)];
        const pin = labels?.[pinLabel(scope.ring)];
        const target = labels?.[drainLabel(scope.ring)];
        if (shard === undefined || membership.isGivenUp(scope.ring, shard)) continue;
        if ((target ?? shard) !== pin) misplaced.push(object);
      }
      await limit.forEach('place', misplaced, (object) => this.#drain(resource, object));
    });
    this.#told = told;
  }

  async #drain(resource: Resource, object: PartialObject): Promise<void> {
    const { scope, membership, writer, metrics } = this.#moves;
    const { labels } = object.metadata;
    const pin = labels?.[pinLabel(scope.ring)] ?? '';
    if (!membership.ring(scope.ring).pinnable.has(pin)) return;
    const shard = labels?.[shardLabel(scope.ring)];
    const outcome = await writer.relabel(resource, object, {
      [shardLabel(scope.ring)]: shard,
      [drainLabel(scope.ring)]: pin,
    });
    if (outcome !== 'done') return;
    metrics.drained({ controllerring: scope.ring, group: resource.group, resource: resource.resource });
  }

  /** Whether the pin can be followed now; else tells why not. */
  #counts(resource: Resource, object: PartialObject, told: Set<string>): boolean {
    const { scope, membership } = this.#moves;
    const controlling = controllerInRing(scope, resource, object);
    if (controlling !== undefined) {
      const { kind, name } = controlling.reference;
      const note = `The pin doesn't count: this object follows its controller, ${kind} "${name}". Pin that one instead.`;
      this.#tell(object, 'PinIgnored', note, told);
      return false;
    }
    if (mainOf(scope, resource) === undefined) return false;
    const pin = object.metadata.labels?.[pinLabel(scope.ring)] ?? '';
    if (membership.ring(scope.ring).pinnable.has(pin)) return true;
    const note = `Pinned to shard "${pin}" of ring "${scope.ring}", which can't take objects now: it is placed as if it weren't pinned.`;
    this.#tell(object, 'PinnedShardNotReady', note, told);
    return false;
  }

  #tell(object: PartialObject, reason: string, note: string, told: Set<string>): void {
    const key = `${object.metadata.uid}|${note}`;
    if (told.size >= mostTold) return;
    told.add(key);
    if (this.#told.has(key)) return;
    this.#events.record({ regarding: object, type: 'Warning', reason, action: 'Place', note });
  }
}
