import type { ApiClient } from '../kube/api-client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kube/errors.ts';
import { leases } from '../kube/resources.ts';
import type { ObjectRef } from '../kube/types.ts';
import { HeldLease } from '../lease/held-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { claimed } from '../lease/lease-claim.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { defaultLeaseDurationSeconds, handedOverAnnotation, ringLabel } from './contract.ts';
import { decideShardClaim, type Settling, ShardClaimError } from './shard-claim.ts';
import { acquireShardLease, shardClaim } from './shard-lease.ts';
import { chooseSlot, isSlotWanted } from './slot-choice.ts';
import { tellDeletionCost } from './slot-deletion-cost.ts';
import { invalidSlotRing } from './slot-name.ts';
import { SlotSightings } from './slot-sightings.ts';
import { SlotError, SlotWorkload, type WorkloadWish } from './slot-workload.ts';

export interface SlotLeaseOptions {
  client: Pick<ApiClient, 'get' | 'list' | 'create' | 'update' | 'patchMetadata'>;
  clock: Clock;
  logger: Logger;
  ring: string;
  /** Namespace of the Leases. */
  namespace: string;
  /** What tells two processes that take one slot apart: the pod's uid. */
  identity: string;
  pod: ObjectRef;
  /** Whether any main object carries the name as its shard, by a consistent read. */
  nameInUse(name: string): Promise<boolean>;
  /** Told that all slots are held, and this process waits for one. */
  spare(): void;
}

export interface AcquiredSlot {
  name: string;
  held: HeldLease;
  settling: Settling;
}

const lookMs = 500;
const retryMs = 1_000;
const requestMs = 3_000;
/** How old the workload's wish may be on which a slot is taken. */
const wishMaxAgeMs = 2_000;
const durationMs = defaultLeaseDurationSeconds * 1000;

/** Finds a slot for this process, and says on its Lease at the end whether another one shall take it over. */
export class SlotLease {
  readonly #options: SlotLeaseOptions;
  readonly #workload: SlotWorkload;
  readonly #sightings: SlotSightings;
  #wishReadAt = -Infinity;
  #waiting = false;

  constructor(options: SlotLeaseOptions) {
    this.#options = options;
    this.#workload = new SlotWorkload(options.client, options.pod);
    this.#sightings = new SlotSightings(options.clock);
  }

  /**
   * Waits until a slot is this process's. Throws SlotError when it can't have one, ShardClaimError when its name belongs
   * to something else, and the signal's reason; a slot that was taken just then is returned all the same, to be released.
   */
  async acquire(signal: AbortSignal): Promise<AcquiredSlot> {
    const { clock, logger, ring, pod } = this.#options;
    const invalid = invalidSlotRing(ring);
    if (invalid !== undefined) throw new SlotError(`the ring's name is too long for slots: ${invalid}`);
    for (;;) {
      try {
        const wish = await this.#wish(signal);
        if (wish.numbered !== undefined) return await this.#acquireNumbered(pod.name, signal);
        const acquired = await this.#look(wish.replicas, signal);
        if (acquired !== undefined) return acquired;
        await clock.sleep(lookMs, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) throw error;
        logger.warn({ err: error, ring }, 'could not take a slot');
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Tells the workload's controller when this pod is to go, in a scale-in; a StatefulSet has an order already. Never rejects. */
  async tell(name: string): Promise<void> {
    if (this.#workload.last?.numbered === undefined) await tellDeletionCost(this.#options, name);
  }

  /** What to write on the Lease when it is released: that another process of the workload shall take it over, or nothing. */
  async marksForNext(name: string): Promise<Record<string, string> | undefined> {
    const { ring, logger } = this.#options;
    const handOver = { [handedOverAnnotation]: 'true' };
    const { signal } = new AbortController();
    try {
      const wish = await this.#workload.read(signal);
      const wanted =
        wish.numbered === undefined
          ? isSlotWanted(ring, wish.replicas, await this.#list(signal))
          : isNumberWanted(name, wish.replicas, wish.numbered.start);
      return wanted ? handOver : undefined;
    } catch (error) {
      logger.warn({ err: error, ring }, 'could not see whether the slot is still wanted: handing it over');
      return handOver;
    }
  }

  async #wish(signal: AbortSignal): Promise<WorkloadWish> {
    const now = this.#options.clock.monotonic();
    const known = this.#workload.last;
    if (known !== undefined && now - this.#wishReadAt < wishMaxAgeMs) return known;
    const wish = await this.#workload.read(signal);
    this.#wishReadAt = now;
    return wish;
  }

  async #acquireNumbered(name: string, signal: AbortSignal): Promise<AcquiredSlot> {
    const nameInUse = (): Promise<boolean> => this.#options.nameInUse(name);
    return { name, ...(await acquireShardLease({ ...this.#options, shard: name, nameInUse }, signal)) };
  }

  /** Undefined: nothing can be taken now. */
  async #look(replicas: number, signal: AbortSignal): Promise<AcquiredSlot | undefined> {
    const { ring, identity } = this.#options;
    const seen = this.#sightings.seen(await this.#list(signal));
    const refused = this.#sightings.refused;
    const choice = chooseSlot({ ring, identity, replicas, seen, refused });
    if (choice.kind === 'spare') {
      if (!this.#waiting) this.#options.logger.info({ ring }, 'all slots are held: waiting as a spare');
      this.#options.spare();
      if (!this.#waiting) await tellDeletionCost(this.#options, undefined);
      this.#waiting = true;
      return undefined;
    }
    if (choice.kind === 'make') return this.#make(choice.name);
    const { lease, unchangedMs } = choice.slot;
    return this.#claim(lease.metadata.name, lease, unchangedMs, false);
  }

  /** A Lease that was deleted says nothing about its holder, who has a duration to put it back. */
  async #make(name: string): Promise<AcquiredSlot | undefined> {
    const inUse = await this.#options.nameInUse(name);
    if ((inUse || this.#sightings.vanished(name)) && this.#sightings.absentMs(name) < durationMs)
      return undefined;
    return this.#claim(name, undefined, 0, inUse);
  }

  /** Not ended by the signal: a claim whose answer nobody waits for would keep the slot from everybody. */
  async #claim(
    name: string,
    lease: Lease | undefined,
    unchangedMs: number,
    inUse: boolean,
  ): Promise<AcquiredSlot | undefined> {
    const { client, clock, logger, ring, identity } = this.#options;
    const nameInUse = (): Promise<boolean> => Promise.resolve(inUse);
    const decision = await decideShardClaim({ ring, shard: name, identity, lease, unchangedMs, nameInUse });
    if (decision.kind === 'wait') return undefined;
    const claim = shardClaim({ ...this.#options, shard: name });
    const body = claimed(lease, claim, clock.now(), decision.marks);
    const options = { timeoutMs: requestMs, priority: true };
    const sentAt = clock.monotonic();
    try {
      const written = await (lease === undefined
        ? client.create(leases, body, options)
        : client.update(leases, body, options));
      const held = new HeldLease({ client, clock, logger, claim }, written, sentAt);
      logger.info({ ring, shard: name }, 'took a slot');
      return { name, held, settling: decision.how };
    } catch (error) {
      if (isAlreadyExists(error)) this.#sightings.exists(name);
      else if (!isConflict(error)) throw error;
      return undefined;
    }
  }

  async #list(signal: AbortSignal): Promise<Lease[]> {
    const { client, ring, namespace } = this.#options;
    const labelSelector = `${ringLabel}=${ring}`;
    const options = { namespace, labelSelector, signal, timeoutMs: requestMs, priority: true };
    const found: Lease[] = [];
    for await (const { items } of client.list<Lease>(leases, 'full', options)) found.push(...items);
    return found;
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof SlotError ||
  error instanceof ShardClaimError ||
  // There is no such namespace.
  isNotFound(error);

/** A pod of a StatefulSet is wanted by its number. */
function isNumberWanted(name: string, replicas: number, start: number): boolean {
  const number = Number(/-(\d+)$/.exec(name)?.[1]);
  return number >= start && number < start + replicas;
}
