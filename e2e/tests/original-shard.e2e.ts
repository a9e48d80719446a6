import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { type ConfigMap, checksumsOf, type Secret } from '../../operator/checksum/checksums.ts';
import { configMaps, secrets } from '../../operator/checksum/reconcile.ts';
import { ensureBinaries } from '../control-plane/ensure-binaries.ts';
import { waitFor } from '../harness/wait-for.ts';
import { Pod } from '../main-job/fleet/pod.ts';
import { machineMs, type TraceEvent } from '../main-job/observer/events.ts';
import type { Shards } from '../main-job/observer/shards.ts';
import { parseTraceLine } from '../main-job/observer/trace-event.ts';
import { movedBetween, TestRing } from './test-ring.ts';

const name = 'original';
const [first, created] = [240, 60];
/** Between two changes of Secrets by a user. */
const changeEveryMs = 10;

/** A shard of the Go original: its process under a supervisor, and its trace, which the observer follows, too. */
class OriginalShard {
  readonly #shards: Shards;
  readonly #start: () => Pod;
  #pod: Pod | undefined;

  constructor(ring: TestRing, command: string) {
    const { job, namespace, controlPlane } = ring;
    this.#shards = job.observer.world.shards;
    const flags = {
      kubeconfig: controlPlane.kubeconfigPath,
      ring: job.ring,
      'shard-name': name,
      namespace,
      'lease-namespace': namespace,
      'trace-file': job.traceFile(name),
    };
    const args = (): string[] => Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    const logFile = join(job.surroundings.folder, `${name}.log`);
    const { emit } = job.observer;
    this.#start = () => new Pod({ name, role: 'replica', command, args, env: {}, logFile, clock, emit });
  }

  /** Resolves when it holds its Lease. */
  async start(): Promise<void> {
    this.#pod = this.#start();
    await this.#pod.start();
    await waitFor('its Lease', () => this.#shards.get(name)?.state === 'live', { timeoutMs: 60_000 });
  }

  async stop(): Promise<void> {
    await this.#pod?.stop();
  }

  /** By SIGKILL. `forGood: false`: its supervisor starts it again. */
  async kill(how: { forGood: boolean }): Promise<void> {
    await this.#pod?.kill(how);
  }
}

/** What the shards have told of themselves, so far. */
async function traced<Kind extends TraceEvent['kind']>(
  { job }: TestRing,
  kind: Kind,
): Promise<(TraceEvent & { kind: Kind })[]> {
  const { folder } = job.surroundings;
  const files = (await readdir(folder)).filter((file) => file.endsWith('.trace'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').slice(0, -1))
    .map(parseTraceLine)
    .filter((event): event is TraceEvent & { kind: Kind } => event?.kind === kind);
}

/** A user who changes one Secret after the other, until `stop`, which tells how often. */
function startChanges(t: TestContext, { client, namespace }: TestRing): { stop(): Promise<number> } {
  const over = new AbortController();
  const change = async (): Promise<number> => {
    for (let count = 1; ; count++) {
      const secret = { namespace, name: `secret-${String((count % first) + 1).padStart(4, '0')}` };
      const body = { stringData: { revision: String(count) } };
      await client.patchMetadata(secrets, secret, { type: 'merge', body });
      await clock.sleep(changeEveryMs, over.signal).catch(() => undefined);
      if (over.signal.aborted) return count;
    }
  };
  const changing = change();
  changing.catch(() => undefined); // `stop` tells of it
  t.after(() => over.abort());
  return {
    stop: () => {
      over.abort();
      return changing;
    },
  };
}

/** Secrets whose ConfigMap isn't what their data asks for. */
async function outdated({ client, namespace }: TestRing): Promise<string[]> {
  const data = new Map<string, unknown>();
  for await (const { items } of client.list<ConfigMap>(configMaps, 'full', { namespace })) {
    for (const configMap of items) data.set(configMap.metadata.name, configMap.data);
  }
  const found: string[] = [];
  for await (const { items } of client.list<Secret>(secrets, 'full', { namespace })) {
    for (const secret of items) {
      const wanted = checksumsOf(secret);
      if (!isDeepStrictEqual(data.get(wanted.metadata.name), wanted.data)) found.push(secret.metadata.name);
    }
  }
  return found;
}

interface Act {
  /** Secrets on the original afterwards, more or less. */
  holds: number;
  /** Until the ring is at rest. */
  withinMs: number;
  act(): Promise<unknown>;
}

test('a shard of the Go original and ours share the objects of one ring, while these change', {
  timeout: 240_000,
}, async (t) => {
  const { 'original-shard': program } = await ensureBinaries(['original-shard']);
  const ring = await TestRing.start(t, { replicas: 2, secrets: first, webhook: true });
  const { job } = ring;
  const original = new OriginalShard(ring, program);
  t.after(() => original.kill({ forGood: true }));
  const changes = startChanges(t, ring);

  const assignments = (): Map<string, string | undefined> => job.observer.world.assignments('secrets');
  const load = (): number => [...assignments().values()].filter((shard) => shard === name).length;
  const isLive = (shard: string): boolean => job.observer.world.shards.get(shard)?.state === 'live';
  /**
   * Does something and waits until the ring is at rest, with so many Secrets on the original. Each Secret that has left
   * a shard which is still there was handed over by it.
   */
  const step = (what: string, { holds, withinMs, act }: Act): Promise<void> =>
    t.test(what, async (sub) => {
      const [before, began] = [assignments(), machineMs()];
      const tookMs = await ring.play({ moves: 'needed', withinMs, act: async () => void (await act()) });
      assert.ok(Math.abs(load() - holds) <= holds / 10, `${load()} Secrets on it`);

      const moved = movedBetween(before, assignments());
      const given = (await traced(ring, 'hand-over-end')).filter(
        ({ outcome, at }) => outcome === 'handed-over' && at > began,
      );
      const givenBy = new Set(given.map(({ uid, shard }) => `${uid} ${shard}`));
      const taken = moved.filter((uid) => {
        const shard = before.get(uid);
        return shard !== undefined && isLive(shard) && !givenBy.has(`${uid} ${shard}`);
      });
      assert.deepEqual(taken, []);
      const byOriginal = given.filter(({ shard }) => shard === name).length;
      sub.diagnostic(
        `at rest after ${Math.round(tookMs)} ms; ${moved.length} Secrets moved, ${given.length} handed over, ` +
          `${byOriginal} of these by the original`,
      );
    });
  const drain = (draining: boolean): Promise<void> =>
    job.wish(name, { draining }, AbortSignal.timeout(20_000));

  await step('it joins and gets its share', { holds: 80, withinMs: 20_000, act: () => original.start() });
  await step('it gets its part of new objects', {
    holds: 100,
    withinMs: 20_000,
    act: () => ring.createSecrets(created),
  });
  await step('it makes room for one of ours that joins', {
    holds: 75,
    withinMs: 20_000,
    act: () => job.fleet.addReplica(),
  });
  await step('drained by a user, it gives everything away', {
    holds: 0,
    withinMs: 20_000,
    act: () => drain(true),
  });
  await step('it gets its share again', { holds: 75, withinMs: 20_000, act: () => drain(false) });
  await t.test('killed and started again under its Lease, it keeps what it has', async () => {
    await ring.play({ moves: 'nothing', withinMs: 15_000, act: () => original.kill({ forGood: false }) });
  });
  await step('on SIGTERM its objects go to the others at once', {
    holds: 0,
    withinMs: 5_000,
    act: () => original.stop(),
  });
  await step('it returns under its name', { holds: 75, withinMs: 20_000, act: () => original.start() });
  await step('killed, its objects go to the others when its Lease has run out', {
    holds: 0,
    withinMs: 25_000,
    act: () => original.kill({ forGood: true }),
  });
  // It waits for as long as the sharder has taken its Lease for, which is twice the usual time.
  await step('it returns under its name after that, too', {
    holds: 75,
    withinMs: 50_000,
    act: () => original.start(),
  });

  await t.test('no change was lost, and it had its part in them', async (sub) => {
    const count = await changes.stop();
    await waitFor('checksums of all data', async () => (await outdated(ring)).length === 0);
    const ofOriginal = ({ shard }: TraceEvent): boolean => shard === name;
    const reconciles = (await traced(ring, 'reconcile-end')).filter(ofOriginal).length;
    const written = (await traced(ring, 'write-end')).filter(
      (event) => ofOriginal(event) && event.resourceVersion !== undefined,
    );
    const { checked } = job.observer.checker;
    sub.diagnostic(`${count} changes; of the original ${reconciles} reconciles, ${written.length} writes`);
    sub.diagnostic(`checked in all: ${JSON.stringify(checked)}`);
    assert.ok(written.length > 20);
  });
});
