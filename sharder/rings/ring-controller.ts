import { Controller } from '@controller-sharding/shared/controller/controller.ts';
import type { Outcome } from '@controller-sharding/shared/controller/outcome.ts';
import { messageOf } from '@controller-sharding/shared/kube/errors.ts';
import type { ControllerMetrics } from '@controller-sharding/shared/metrics/controller.ts';
import type { ControllerRing } from '@controller-sharding/shared/sharding/controller-ring.ts';
import { claimants } from '../membership/ring-shards.ts';
import type { OverduePolicy } from '../moves/overdue-drains.ts';
import { RingMover } from '../moves/ring-mover.ts';
import type { RingMoves } from '../moves/ring-moves.ts';
import type { WebhookConfigurations } from '../webhook/webhook-configurations.ts';
import { namedResources } from './labelled-resources.ts';
import type { ResourceAccess } from './resource-access.ts';
import { ResourceRecord } from './resource-record.ts';
import type { RingScope } from './ring-scope.ts';
import type { KnownRing, Rings } from './rings.ts';
import { messageEveryMs, StatusWriter } from './status-writer.ts';

export interface RingControllerOptions extends Omit<RingMoves, 'scope'> {
  rings: Rings;
  access: Pick<ResourceAccess, 'missing' | 'onChange'>;
  /** Undefined: the webhook is switched off. */
  webhooks: WebhookConfigurations | undefined;
  syncPeriodMs: number;
  /** What is done about drains that a shard doesn't answer; the default is to tell of them after 5 min. */
  overdue?: OverduePolicy;
  controllerMetrics?: ControllerMetrics | undefined;
}

const ringsAtOnce = 4;

interface Running {
  scope: RingScope;
  mover: RingMover;
  stop: AbortController;
  ended: Promise<void>;
}

/** The leader's work on each ring: its webhook configuration, its moves, its status. */
export class RingController {
  readonly #options: RingControllerOptions;
  readonly #controller: Controller<string>;
  readonly #running = new Map<string, Running>();
  readonly #record: ResourceRecord;
  readonly #status: StatusWriter;
  /** Rings whose record could not be written. */
  readonly #unrecorded = new Set<string>();

  constructor(options: RingControllerOptions) {
    const { clock, logger } = options;
    this.#options = options;
    this.#record = new ResourceRecord(options.client);
    this.#status = new StatusWriter(options);
    this.#controller = new Controller({
      name: 'controllerring',
      reconcile: (key, signal) => this.#reconcile(key, signal),
      // Stopping the moves of one ring holds up no other ring.
      concurrency: ringsAtOnce,
      clock,
      logger,
      metrics: options.controllerMetrics,
    });
  }

  /** Ends when the signal is aborted and all moves under way have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { access, rings, membership, webhooks } = this.#options;
    const enqueue = (ring: string): void => this.#controller.enqueue(ring);
    const ends = [
      rings.onChange(enqueue),
      membership.onChange((ring) => {
        this.#running.get(ring)?.mover.membershipChanged();
        enqueue(ring);
      }),
      webhooks?.onChange(enqueue),
      access.onChange(() => {
        for (const { ring } of rings.all()) enqueue(ring.metadata.name);
      }),
    ];
    await this.#controller.run(signal);
    for (const end of ends) end?.();
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  /** Whether nothing carries the shard's name any more, by a look made now. False while the ring isn't served. */
  async isEmpty(ring: string, shard: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#running.get(ring)?.mover.isEmpty(shard, signal)) ?? false;
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<Outcome> {
    const { metrics, rings, webhooks } = this.#options;
    const known = rings.get(name);
    if (known === undefined) {
      await this.#stop(name);
      this.#status.forget(name);
      if (rings.exists(name)) return { kind: 'done' };
      metrics.forget(name);
      await webhooks?.remove(name, signal);
      return { kind: 'done' };
    }
    if (known.ring.metadata.deletionTimestamp !== undefined) {
      await this.#stop(name);
      await webhooks?.remove(name, signal);
      return { kind: 'done' };
    }
    if (!(await this.#noteResources(known.ring, signal))) return { kind: 'later', afterMs: 1_000 };
    await this.#move(name, known.scope);
    let failure: unknown;
    try {
      await webhooks?.ensure(known, signal);
    } catch (error) {
      failure = error;
    }
    await this.#writeStatus(known, failure, signal);
    if (failure !== undefined) throw failure;
    // What its objects do changes without being told.
    return { kind: 'later', afterMs: messageEveryMs };
  }

  /**
   * Before anything of the ring is labelled. A ring whose record can't be written is served all the same: what leaves it
   * later keeps its labels then. False: the ring has changed meanwhile.
   */
  async #noteResources(ring: ControllerRing, signal: AbortSignal): Promise<boolean> {
    const { name } = ring.metadata;
    try {
      const noted = await this.#record.add(ring, signal);
      this.#unrecorded.delete(name);
      return noted;
    } catch (error) {
      signal.throwIfAborted();
      if (!this.#unrecorded.has(name)) {
        const what = 'could not note the resources of a ring: what leaves it keeps its labels';
        this.#options.logger.warn({ err: error, ring: name }, what);
      }
      this.#unrecorded.add(name);
      return true;
    }
  }

  async #move(name: string, scope: RingScope): Promise<void> {
    if (this.#running.get(name)?.scope === scope) return;
    await this.#stop(name);
    const { access, metrics, overdue, rings, syncPeriodMs } = this.#options;
    const mover = new RingMover({ ...this.#options, scope }, syncPeriodMs, {
      overdue,
      noneLeft: async (signal) => {
        const known = rings.get(name);
        if (known?.scope !== scope) return;
        // What can't be listed was not looked at.
        if (access.missing(namedResources(known.ring)).some(({ verb }) => verb === 'list')) return;
        await this.#record.drop(known.ring, signal);
      },
    });
    const stop = new AbortController();
    const endFigures = metrics.observeMoves(name, () => mover.figures);
    const ended = mover.run(stop.signal).finally(endFigures);
    this.#running.set(name, { scope, mover, stop, ended });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    running.stop.abort();
    await running.ended;
  }

  async #writeStatus({ ring, scope }: KnownRing, failure: unknown, signal: AbortSignal): Promise<void> {
    const { access, membership } = this.#options;
    const { name } = ring.metadata;
    const shards = membership.shards(name);
    const byName = Map.groupBy(shards, ({ shard }) => shard);
    const mover = this.#running.get(name)?.mover;
    const facts = {
      shards: shards.length,
      availableShards: membership.usable(name).length,
      missing: scope.missing,
      rights: access.missing(namedResources(ring)),
      duplicates: [...byName]
        .flatMap(([shard, same]) => (claimants(same).length > 1 ? [shard] : []))
        .toSorted(),
      failure:
        failure === undefined ? undefined : `The webhook could not be configured: ${messageOf(failure)}`,
      unassigned: mover?.unassigned ?? 0,
      draining: mover?.draining ?? 0,
      overdue: mover?.overdue ?? 0,
    };
    await this.#status.write(ring, facts, signal);
  }
}
