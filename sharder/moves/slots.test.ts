/** Rolling updates of shards in slots, with the sharder's own loop beside them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '@controller-sharding/shared/kube/resources.ts';
import { handedOverAnnotation } from '@controller-sharding/shared/sharding/contract.ts';
import { SlotWorld, sorted } from '@controller-sharding/shared/sharding/slot-fixture.ts';
import { RingWorld } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

const replicas = 3;
const objects = 60;
/** How long the sharder moves nothing of a slot that was handed over. */
const holdOffMs = 30_000;

type Workload = 'Deployment' | 'StatefulSet';
type Pod = ReturnType<SlotWorld['pod']>;

/** A sharder, and a workload whose pods are real shards: each keeps a ConfigMap for each of its Secrets. */
class Rollout {
  readonly ring = new RingWorld();
  readonly slots: SlotWorld;
  readonly pods: Pod[] = [];
  readonly #workload: Workload;
  #writesBefore = 0;
  #started = 0;

  private constructor(workload: Workload) {
    this.#workload = workload;
    this.slots = new SlotWorld(replicas, workload, this.ring);
  }

  /** All pods hold a slot, and all objects are on one of them and have what belongs to them. */
  static async start(workload: Workload = 'Deployment'): Promise<Rollout> {
    const rollout = new Rollout(workload);
    const { ring } = rollout;
    await ring.start();
    const mover = new RingMover(ring.moves, 300_000);
    ring.membership.onChange(() => mover.membershipChanged());
    void mover.run(ring.signal);
    for (let number = 0; number < replicas; number += 1) rollout.add(number);
    await rollout.pass(5_000);
    ring.secrets(objects);
    await rollout.pass(40_000);
    rollout.settled();
    rollout.#writesBefore = rollout.#relabelled();
    return rollout;
  }

  /** A pod more; of a StatefulSet, the one of that number. Its process is always another one. */
  add(number: number): void {
    this.#started += 1;
    const name = this.#workload === 'StatefulSet' ? `operator-${number}` : `operator-${this.#started}`;
    this.pods[number] = this.slots.pod(name, `process-${this.#started}`);
  }

  /** SIGTERM to the pod; returns it. */
  end(number: number): Pod {
    const pod = this.pods[number];
    assert(pod);
    pod.stop.abort(new Error('stop'));
    return pod;
  }

  /** Requests follow each other while time goes by. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) await this.ring.clock.advance(100);
  }

  get names(): Array<string | undefined> {
    return this.pods.map(({ shard }) => shard.name);
  }

  /** Since the start. */
  get labelWrites(): number {
    return this.#relabelled() - this.#writesBefore;
  }

  /** A pod writes to itself, too, which slot it has. */
  #relabelled(): number {
    return this.ring.relabelled().filter((object) => !object.startsWith('pods/')).length;
  }

  settled(): void {
    const loads = this.ring.loads();
    assert.deepEqual(Object.keys(loads).toSorted(), sorted(this.names));
    assert.equal(
      Object.values(loads).reduce((sum, load) => sum + load, 0),
      objects,
    );
  }

  /** Every pod works on its objects: each Secret that is changed is reconciled by the one that has its slot. */
  async works(): Promise<void> {
    const begun = this.pods.map(({ told }) => told('reconcile-begin').length);
    for (let number = 0; number < objects; number += 1) this.touch(`s${number}`);
    await this.pass(1_000);
    const loads = this.ring.loads();
    for (const [number, { shard, told }] of this.pods.entries()) {
      const now = told('reconcile-begin').length - (begun[number] ?? 0);
      assert.equal(now, loads[shard.name ?? ''], `${shard.name} reconciled ${now}`);
    }
  }

  touch(secret: string): void {
    this.ring.api.label(this.ring.main.resource, { namespace: 'default', name: secret }, { touched: 'yes' });
  }

  /** The API server forgets that a slot was handed over, so that nothing is held off. */
  withoutHoldOff(): void {
    const path = `/metadata/annotations/${handedOverAnnotation.replace('/', '~1')}`;
    this.ring.api.mutatingWebhook({
      name: 'forget',
      rules: [{ operations: ['UPDATE'], resource: leases }],
      handle: ({ object }) => ({
        allowed: true,
        ...(object?.metadata.annotations?.[handedOverAnnotation] !== undefined && {
          patch: [{ op: 'remove', path }],
        }),
      }),
    });
  }
}

/** Each pod is replaced after the other; the new one comes that much later than the old one is told to end, or before it. */
async function replaceAll(rollout: Rollout, laterMs: number): Promise<void> {
  for (let number = 0; number < replicas; number += 1) {
    const old = rollout.end(number);
    await rollout.pass(Math.max(laterMs, 100));
    rollout.add(number);
    await rollout.pass(3_000);
    assert.equal(old.ended(), true);
    assert.equal(old.error(), undefined);
  }
}

const updates: [workload: Workload, how: string, laterMs: number][] = [
  ['Deployment', 'a pod less meanwhile', 2_000],
  ['Deployment', 'pods that take nearly as long to come as a slot is held off', holdOffMs - 2_000],
  ['StatefulSet', 'pods that come back by their names', 2_000],
];
for (const [workload, how, laterMs] of updates) {
  test(`a ${workload} in slots, with ${how}: an update moves nothing`, async () => {
    const rollout = await Rollout.start(workload);
    const names = rollout.names;
    await replaceAll(rollout, laterMs);
    assert.deepEqual(rollout.names, names);
    await rollout.pass(2 * holdOffMs);
    assert.equal(rollout.labelWrites, 0);
    await rollout.works();
  });
}

test('a Deployment in slots, with a pod more meanwhile: an update moves nothing, and nobody waits', async () => {
  const rollout = await Rollout.start();
  const names = rollout.names;
  for (let number = 0; number < replicas; number += 1) {
    const old = rollout.pods[number];
    rollout.add(number);
    const spare = rollout.pods[number];
    await rollout.pass(2_000);
    assert.equal(spare?.shard.ready, true);
    assert.equal(spare.shard.name, undefined);
    old?.stop.abort(new Error('stop'));
    await rollout.pass(1_000);
    assert.equal(spare.shard.name, names[number]);
  }
  await rollout.pass(2 * holdOffMs);
  assert.equal(rollout.labelWrites, 0);
  await rollout.works();
});

test('a slot that nobody takes is emptied after its hold-off, and not before', async () => {
  const rollout = await Rollout.start();
  const { shard } = rollout.end(0);
  const load = rollout.ring.loads()[shard.name ?? ''] ?? 0;
  assert(load > 0);
  await rollout.pass(holdOffMs - 1_000);
  assert.equal(rollout.labelWrites, 0);
  await rollout.pass(10_000);
  rollout.pods.shift();
  rollout.settled();
  assert.equal(rollout.labelWrites, 2 * load, 'each Secret and its ConfigMap once');
});

test('without the hold-off the same update moves objects', async () => {
  const rollout = await Rollout.start();
  rollout.withoutHoldOff();
  await replaceAll(rollout, 2_000);
  assert(rollout.labelWrites >= objects, `${rollout.labelWrites} label writes`);
});
