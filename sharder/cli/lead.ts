import { fencedClient } from '@controller-sharding/shared/lease/fenced-client.ts';
import type { HeldLease } from '@controller-sharding/shared/lease/held-lease.ts';
import type { ControllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import { LeaseEvents } from '../membership/lease-events.ts';
import { LeaseKeeper } from '../membership/lease-keeper.ts';
import { LabelWriter } from '../moves/label-writer.ts';
import { MoveLimit } from '../moves/move-limit.ts';
import type { OverduePolicy } from '../moves/overdue-drains.ts';
import { Refusals } from '../moves/refusals.ts';
import type { RingMoves } from '../moves/ring-moves.ts';
import type { ResourceAccess } from '../rings/resource-access.ts';
import { RingController } from '../rings/ring-controller.ts';
import type { Rings } from '../rings/rings.ts';
import type { WebhookConfigurations } from '../webhook/webhook-configurations.ts';

export interface LeadOptions extends Omit<RingMoves, 'scope' | 'writer' | 'fence' | 'limit'> {
  /** Moves under way at once, of all rings together, at most. */
  concurrency: number;
  rings: Rings;
  access: ResourceAccess;
  held: HeldLease;
  webhooks: WebhookConfigurations | undefined;
  syncPeriodMs: number;
  overdue?: OverduePolicy;
  controllerMetrics: ControllerMetrics;
}

/**
 * What only the leader does, for as long as it holds its Lease or until the signal is aborted. Throws LeaseLostError
 * at once when the Lease is lost: the process has to end then, with whatever it has under way.
 */
export async function lead(options: LeadOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, membership, metrics, rings, held, events } = options;
  const { fence } = held;
  const client = fencedClient(options.client, () => fence.permit());
  const limit = new MoveLimit(clock, options.concurrency);
  metrics.observeLimit(limit);
  const writer = new LabelWriter({ client, fence, limit, refusals: new Refusals(events, clock) });
  const ringController = new RingController({ ...options, client, fence, writer, limit });
  const leaseKeeper = new LeaseKeeper({
    client,
    clock,
    logger,
    membership,
    ringExists: (ring) => rings.exists(ring),
    isEmpty: (ring, shard, stop) => ringController.isEmpty(ring, shard, stop),
  });
  const leaseEvents = new LeaseEvents({
    clock,
    membership,
    ringExists: (ring) => rings.exists(ring),
    events,
  });
  const ended = new AbortController();
  const keeping = held.keep(ended.signal);
  const working = Promise.all([
    ringController.run(signal),
    leaseKeeper.run(signal),
    leaseEvents.run(signal),
  ]).finally(() => ended.abort());
  // `keeping` ends first only when the Lease is lost.
  await Promise.race([working, keeping.then(() => working)]);
}
