import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { Shard } from '@controller-sharding/shared/sharding/shard.ts';
import { timeoutError } from '@controller-sharding/shared/testing/api-faults.ts';
import { ring } from '../membership/membership-fixture.ts';
import { assigned, drain, RingWorld, ref } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

const reconcileMs = 300;

/** A sharder and real shards, which keep a ConfigMap for each Secret; who works on what is watched all the time. */
class Fleet extends RingWorld {
  readonly violations: string[] = [];
  readonly #working = new Map<string, string>();
  readonly #processes = new Map<string, AbortController>();
  readonly #alive = new Set<AbortController>();
  readonly #cutOff = new Set<AbortSignal>();
  #pods = 0;

  override async lead(): Promise<void> {
    await super.lead();
    const mover = new RingMover(this.moves, 300_000);
    this.membership.onChange(() => mover.membershipChanged());
    void mover.run(this.signal);
    await this.clock.advance(100);
  }

  process(name: string): AbortController {
    const stop = new AbortController();
    const process = `${name}#${(this.#pods += 1)}`;
    const alive = (): boolean => this.#alive.has(stop);
    const shard = new Shard(
      {
        client: this.#until(stop.signal),
        clock: this.clock,
        logger: silentLogger,
        ring,
        shard: name,
        leaseNamespace: 'default',
        identity: process,
        observer: (event) => {
          if (!alive()) return;
          if (event.event === 'reconcile-begin') this.#begin(event.uid, process);
          if (event.event === 'reconcile-end' && this.#working.get(event.uid) === process)
            this.#working.delete(event.uid);
        },
      },
      [
        {
          name: 'sums',
          for: { resource: secrets },
          owns: [{ resource: configMaps }],
          concurrency: 5,
          reconcile: async ({ object, writer, controlled }) => {
            await this.clock.sleep(reconcileMs);
            if (controlled(configMaps).length > 0) return;
            const { name: owner, namespace = '', uid = '' } = object.metadata;
            const reference = { apiVersion: 'v1', kind: 'Secret', name: owner, uid, controller: true };
            await writer.create(configMaps, {
              metadata: { ...ref(`sums-${owner}`, namespace), ownerReferences: [reference] },
            });
          },
        },
      ],
    );
    this.#processes.set(name, stop);
    this.#alive.add(stop);
    void shard.run(stop.signal).catch(() => undefined);
    return stop;
  }

  /** SIGTERM. */
  end(name: string): void {
    this.#processes.get(name)?.abort(new Error('stop'));
  }

  /** None of its requests arrives any more; the process lives on. */
  cutOff(name: string): void {
    const stop = this.#processes.get(name);
    if (stop) this.#cutOff.add(stop.signal);
  }

  /** SIGKILL: it works on nothing any more, either. */
  kill(name: string): void {
    this.cutOff(name);
    const stop = this.#processes.get(name);
    if (stop) this.#alive.delete(stop);
    for (const [uid, process] of this.#working) if (process.startsWith(`${name}#`)) this.#working.delete(uid);
  }

  #until(signal: AbortSignal): RingWorld['api'] {
    return new Proxy(this.api, {
      get: (api, method: keyof RingWorld['api']) => {
        const value: unknown = api[method];
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]): unknown => {
          if (!this.#cutOff.has(signal)) return Reflect.apply(value, api, parameters);
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method's last parameter
          const options = parameters.at(-1) as { timeoutMs?: number } | undefined;
          return this.clock.sleep(options?.timeoutMs ?? 10_000).then(() => Promise.reject(timeoutError()));
        };
      },
    });
  }

  #begin(uid: string, process: string): void {
    const other = this.#working.get(uid);
    if (other !== undefined && other !== process) this.violations.push(`${process} and ${other} on ${uid}`);
    this.#working.set(uid, process);
    const shard = this.api.all<KubeObject>(secrets).find(({ metadata }) => metadata.uid === uid)
      ?.metadata.labels;
    if (shard?.[assigned] !== process.slice(0, process.indexOf('#')))
      this.violations.push(`${process} on ${uid}, which is not its own`);
  }

  /** Every object on a living shard with its ConfigMap, and none on the move. */
  settled(count: number, ...names: string[]): void {
    const loads = this.loads();
    assert.deepEqual(Object.keys(loads).toSorted(), names);
    assert.equal(
      Object.values(loads).reduce((sum, load) => sum + load, 0),
      count,
    );
    for (const { metadata } of this.api.all<KubeObject>(secrets)) {
      assert.equal(metadata.labels?.[drain], undefined);
      const children = this.childrenOf(metadata.uid);
      assert.equal(children.length, 1, `${metadata.name} has ${children.length} ConfigMaps`);
      assert.equal(children[0]?.metadata.labels?.[assigned], metadata.labels?.[assigned], metadata.name);
    }
    assert.deepEqual(this.violations, []);
  }
}

async function fleet(...names: string[]): Promise<Fleet> {
  const world = new Fleet();
  await world.start();
  for (const name of names) world.process(name);
  await world.clock.advance(1_000);
  return world;
}

test('objects are spread, worked on by one shard at a time, and move when shards join and leave', async () => {
  const world = await fleet('a', 'b', 'c');
  world.secrets(60);
  await world.clock.advance(20_000);
  world.settled(60, 'a', 'b', 'c');
  world.process('d');
  await world.clock.advance(30_000);
  world.settled(60, 'a', 'b', 'c', 'd');
  assert((world.loads()['d'] ?? 0) >= 12, JSON.stringify(world.loads()));
  world.end('a');
  world.end('b');
  await world.clock.advance(20_000);
  world.settled(60, 'c', 'd');
});

test('objects of a killed shard are worked on again within 20 s', async () => {
  const world = await fleet('a', 'b');
  world.secrets(40);
  await world.clock.advance(20_000);
  world.kill('a');
  await world.clock.advance(20_000);
  world.settled(40, 'b');
});

test('a name that comes back at once settles, and gets its share again', async () => {
  const world = await fleet('a', 'b');
  world.secrets(40);
  await world.clock.advance(20_000);
  world.end('a');
  await world.clock.advance(400);
  world.process('a');
  await world.clock.advance(60_000);
  world.settled(40, 'a', 'b');
});

test('a name that comes back while its former process is only cut off waits for that to end', async () => {
  const world = await fleet('a', 'b');
  world.secrets(40);
  await world.clock.advance(20_000);
  world.cutOff('a');
  world.process('a');
  await world.clock.advance(60_000);
  world.settled(40, 'a', 'b');
});

test('objects that come and go, and a shard that joins meanwhile', async () => {
  const world = await fleet('a', 'b');
  for (let number = 0; number < 100; number += 1) {
    world.secret(`s${number}`);
    if (number === 50) world.process('c');
    if (number % 5 === 0 && number > 20) {
      const gone = `s${number - 20}`;
      for (const { metadata } of world.childrenOf(world.api.peek(secrets, ref(gone))?.metadata.uid))
        world.api.remove(configMaps, metadata);
      world.api.remove(secrets, ref(gone));
    }
    await world.clock.advance(200);
  }
  await world.clock.advance(60_000);
  // What a reconcile made for an owner that had gone by then is the garbage collector's.
  world.settled(85, 'a', 'b', 'c');
  assert.equal(world.api.all(leases).length, 3);
});
