import assert from 'node:assert/strict';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { Shard } from '@controller-sharding/shared/sharding/shard.ts';
import {
  type ApiRequest,
  connectionError,
  type Fault,
} from '@controller-sharding/shared/testing/api-faults.ts';
import { LeaseKeeper } from '../membership/lease-keeper.ts';
import { Membership } from '../membership/membership.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, RingWorld, ref } from '../moves/ring-fixture.ts';
import { RingMover } from '../moves/ring-mover.ts';
import type { KnownRing } from '../rings/rings.ts';
import { parseReview } from '../webhook/admission-review.ts';
import { createDecide } from '../webhook/decide.ts';
import { WebhookSnapshots } from '../webhook/webhook-snapshot.ts';
import { Rules } from './rules-fixture.ts';

/** A replica of the sharder with its own view. */
export interface Sharder {
  user: string;
  membership: Membership;
  /** Works on the ring from now on, whoever leads. */
  move(): void;
  /** Writes to Leases from now on. */
  keepLeases(): void;
}

export interface ShardProcess {
  user: string;
  shard: Shard;
  /** SIGTERM. */
  end(): void;
  /** SIGKILL. */
  kill(): void;
}

/**
 * Real shards, which keep a ConfigMap `<name>-sums` for each Secret, and replicas of the sharder, each a user of its own
 * to the API server, under the eye of the rules.
 */
export class ModelWorld extends RingWorld {
  readonly rules = new Rules(this.api);
  /** How long a reconcile takes. */
  reconcileMs = 300;
  /** By the shard's name, the latest. */
  readonly processes = new Map<string, ShardProcess>();
  readonly #gone = new Set<string>();
  readonly #cutOff = new Set<string>();
  #started = 0;

  constructor() {
    super();
    const silenced = (users: Set<string>) => (request: ApiRequest) => users.has(request.user);
    this.api.fault({ on: silenced(this.#gone), times: Infinity, delayMs: Infinity });
    this.api.fault({ on: silenced(this.#cutOff), times: Infinity, error: connectionError() });
  }

  process(name: string): ShardProcess {
    const stop = new AbortController();
    const user = `${name}#${(this.#started += 1)}`;
    const shard = new Shard(
      {
        client: this.api.client({ user }),
        clock: this.clock,
        logger: silentLogger,
        ring,
        shard: name,
        leaseNamespace: 'default',
        identity: user,
        observer: (event) => {
          if (!this.#gone.has(user)) this.rules.told(user, event);
        },
      },
      [
        {
          name: 'sums',
          for: { resource: secrets },
          owns: [{ resource: configMaps }],
          concurrency: 5,
          reconcile: async ({ object, writer, controlled }) => {
            await this.clock.sleep(this.reconcileMs);
            if (controlled(configMaps).length > 0) return;
            const { name: owner, namespace = '', uid = '' } = object.metadata;
            const reference = { apiVersion: 'v1', kind: 'Secret', name: owner, uid, controller: true };
            await writer.create(configMaps, {
              metadata: { ...ref(`${owner}-sums`, namespace), ownerReferences: [reference] },
            });
          },
        },
      ],
    );
    void shard.run(stop.signal).catch(() => undefined);
    const kill = (): void => {
      this.disconnect(user);
      this.rules.ended(user);
    };
    const process = { user, shard, end: () => stop.abort(new Error('stop')), kill };
    this.processes.set(name, process);
    return process;
  }

  sharder(user: string): Sharder {
    const { clock, signal, fence } = this;
    const client = this.api.client({ user });
    const membership = new Membership({ client, clock, logger: silentLogger });
    const mover = new RingMover(
      { ...this.moves, client, membership, writer: this.writer(client, { fence }) },
      300_000,
    );
    void membership.run(signal);
    return {
      user,
      membership,
      move: () => {
        membership.onChange(() => mover.membershipChanged());
        void mover.run(signal);
      },
      keepLeases: () => {
        const isEmpty = (_ring: string, shard: string, stop: AbortSignal) => mover.isEmpty(shard, stop);
        const options = { client, clock, logger: silentLogger, membership, ringExists: () => true, isEmpty };
        void new LeaseKeeper(options).run(signal);
      },
    };
  }

  /** From now on no request of the user arrives, nor does any answer: it is gone, or cut off and told so. */
  disconnect(user: string, how: 'gone' | 'cut-off' = 'gone'): void {
    (how === 'gone' ? this.#gone : this.#cutOff).add(user);
    this.api.breakWatches(connectionError(), (watch) => watch.user === user);
  }

  /** Something happens to the user's requests of that verb and resource: to one, if the fault doesn't say more. */
  hit(user: string, verb: ApiRequest['verb'], resource: string, fault: Omit<Fault, 'on'>): () => void {
    const on = (request: ApiRequest): boolean =>
      request.user === user && request.verb === verb && request.resource === resource;
    return this.api.fault({ ...fault, on });
  }

  /** A webhook that answers by what this replica knows. Returns what switches it off. */
  webhook({ user, membership }: Sharder): () => void {
    const client = this.api.client({ user });
    const known: KnownRing = {
      scope: this.moves.scope,
      ring: {
        metadata: { name: ring },
        spec: { resources: [{ group: '', resource: 'secrets', controlledResources: [configMaps] }] },
      },
    };
    const snapshots = new WebhookSnapshots({ get: () => known }, membership);
    const decide = createDecide({ hasher: this.moves.hasher, client, snapshots, sharderUsername: user });
    return this.api.mutatingWebhook({
      name: 'sharder.sharding.timebertt.dev',
      rules: [secrets, configMaps].map((resource) => ({ operations: ['CREATE', 'UPDATE'], resource })),
      objectSelector: { matchExpressions: [{ key: assigned, operator: 'DoesNotExist' }] },
      failurePolicy: 'Ignore',
      handle: async (asked) => {
        const request = parseReview({ request: asked })?.request;
        assert.ok(request);
        const decision = decide(ring, request);
        const { patch } = typeof decision === 'function' ? await decision(this.signal) : decision;
        return { allowed: true, patch };
      },
    });
  }

  /** The user learns nothing new of the Leases, until it is let go on. */
  blind(user: string): () => void {
    const ends = [
      this.api.delayWatches((watch) =>
        watch.user === user && watch.resource.startsWith('leases') ? 3_600_000 : 0,
      ),
      this.hit(user, 'list', 'leases.coordination.k8s.io', { times: Infinity, delayMs: Infinity }),
      this.hit(user, 'get', 'leases.coordination.k8s.io', { times: Infinity, delayMs: Infinity }),
    ];
    return () => {
      for (const end of ends) end();
      this.api.breakWatches(connectionError(), (watch) => watch.user === user);
    };
  }

  /** Shards of the Secret and of its ConfigMap, and the Secret's drain. */
  pairOf(name = 's'): { owner: string | undefined; child: string | undefined; drain: string | undefined } {
    return { owner: this.shardOf(name), child: this.childShard(`${name}-sums`), drain: this.drainOf(name) };
  }

  /** A Secret with its ConfigMap, on a shard. */
  pair(name: string, shard: string): void {
    this.configMap(`${name}-sums`, this.secret(name, shard), shard);
  }

  /** Lets time pass until the condition holds, looking every so often; an error after `withinMs`. */
  async until(what: string, condition: () => boolean, withinMs = 30_000, everyMs = 50): Promise<void> {
    const end = this.clock.monotonic() + withinMs;
    while (!condition()) {
      if (this.clock.monotonic() >= end) throw new Error(`not within ${withinMs} ms: ${what}`);
      await this.clock.advance(everyMs);
    }
  }
}
