import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { ringName } from '../main-job/cluster/objects.ts';
import { Made } from '../main-job/cluster/prepare.ts';
import { Job } from '../main-job/job.ts';
import { openPoints } from '../main-job/observer/converged.ts';
import { type MovesExpected, machineMs } from '../main-job/observer/events.ts';

/** Another test runs beside. How long it takes is measured elsewhere. */
const toleranceMs = 5_000;

export interface TestRingOptions {
  replicas: number;
  secrets: number;
  webhook: boolean;
}

export interface Step {
  /** What may move because of it. */
  moves: MovesExpected;
  /** How long until the ring is at rest again. */
  withinMs: number;
  act(): Promise<void>;
}

export const labelOf = (object: KubeObject): string | undefined =>
  object.metadata.labels?.[shardLabel(ringName)];
export const drainOf = (object: KubeObject): string | undefined =>
  object.metadata.labels?.[drainLabel(ringName)];

/** A control plane with two sharders, replicas and Secrets, under the observer that checks every rule. */
export class TestRing {
  readonly controlPlane: ControlPlane;
  readonly client: KubeClient;
  readonly transport: Transport;
  readonly job: Job;
  readonly #signal = AbortSignal.timeout(600_000);
  #failed = false;

  private constructor(controlPlane: ControlPlane, transport: Transport, client: KubeClient, job: Job) {
    this.controlPlane = controlPlane;
    this.transport = transport;
    this.client = client;
    this.job = job;
  }

  /** Everything ends with the test. */
  static async start(t: TestContext, { replicas, secrets, webhook }: TestRingOptions): Promise<TestRing> {
    const controlPlane = await startControlPlane({ controllerManager: true });
    const { kubeconfigPath: kubeconfig, url } = controlPlane;
    const folder = join(controlPlane.logFolder, 'processes');
    await mkdir(folder, { recursive: true });
    const transport = new Transport(loadKubeConfig({ kubeconfig }), { clock });
    const client = new KubeClient(transport);
    const end = async (failed: boolean): Promise<void> => {
      await transport.close();
      await controlPlane.stop({ failed });
    };
    const surroundings = { kubeconfig, url, folder, client, made: new Made(client), own: true, end };
    const job = new Job({ surroundings, clock, webhookPort: webhook ? 0 : undefined, toleranceMs });
    const ring = new TestRing(controlPlane, transport, client, job);
    t.after(async () => {
      await job.end();
      await end(ring.#failed);
    });
    await job.start(2, ring.#signal);
    for (let i = 0; i < replicas; i++) await job.fleet.addReplica();
    await job.untilLive(replicas, job.watched(AbortSignal.timeout(30_000)));
    await ring.play({ moves: 'any', withinMs: 30_000, act: () => ring.createSecrets(secrets) });
    return ring;
  }

  get namespace(): string {
    return this.job.namespace;
  }

  createSecrets(count: number): Promise<void> {
    return this.job.createSecrets(count, 20, this.#signal);
  }

  /** Shard of every object, by uid. */
  assignments(): Map<string, string | undefined> {
    const { world } = this.job.observer;
    return new Map([...world.assignments('secrets'), ...world.assignments('configmaps')]);
  }

  /**
   * Does something and waits until every object is on a live shard, pairs together, nothing on the move, the shares
   * level. Fails when that takes too long, or a rule was broken. Returns the ms it took.
   */
  async play({ moves, withinMs, act }: Step): Promise<number> {
    const { observer } = this.job;
    const began = machineMs();
    observer.emit({ kind: 'step-begin', at: began, step: 'test', moves });
    this.#failed = true;
    await act();
    const rest = (): string[] =>
      openPoints(observer.world.summary(), { secrets: this.job.secrets, level: moves === 'needed' });
    while (rest().length > 0 && machineMs() - began < withinMs) await clock.sleep(50, this.#signal);
    const tookMs = machineMs() - began;
    assert.deepEqual(rest(), [], `not at rest after ${withinMs} ms`);
    observer.emit({ kind: 'step-end', at: machineMs(), step: 'test', moves });
    await observer.judged(this.#signal);
    const { violations, violationCount } = observer.checker;
    assert.equal(violationCount, 0, JSON.stringify(violations.slice(0, 5), undefined, 1));
    this.#failed = false;
    return tookMs;
  }

  /** Watches for a while that nothing moves. */
  async quiet(ms: number): Promise<void> {
    await this.play({ moves: 'nothing', withinMs: ms + 5_000, act: () => clock.sleep(ms) });
  }
}

/** Objects of `before` that are on another shard in `now`, or on none. */
export const movedBetween = (
  before: ReadonlyMap<string, string | undefined>,
  now: ReadonlyMap<string, string | undefined>,
): string[] =>
  [...before].filter(([uid, shard]) => now.has(uid) && now.get(uid) !== shard).map(([uid]) => uid);
