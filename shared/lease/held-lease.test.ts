import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../kube/resources.ts';
import { silentLogger } from '../runtime/logger.ts';
import { type ApiRequest, connectionError } from '../testing/api-faults.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { HeldLease, type HeldLeaseOptions, LeaseLostError } from './held-lease.ts';
import { type Lease, microTime } from './lease.ts';
import { claimed, type LeaseClaim } from './lease-claim.ts';
import { FencedError } from './write-fence.ts';

const claim: LeaseClaim = {
  namespace: 'default',
  name: 'a',
  holder: 'a',
  durationSeconds: 15,
  annotations: { identity: 'one' },
  labels: { ring: 'r' },
};
const renewal = ({ verb }: ApiRequest): boolean => verb === 'update';

async function hold(marks?: Record<string, string>) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const options: HeldLeaseOptions = { client: api, clock, logger: silentLogger, claim };
  const lease = await api.create<Lease>(leases, claimed(undefined, claim, clock.now(), marks));
  const held = new HeldLease(options, lease, clock.monotonic());
  const stop = new AbortController();
  let lost: unknown;
  const keeping = held.keep(stop.signal).catch((error: unknown) => {
    lost = error;
  });
  return {
    clock,
    api,
    held,
    stop,
    keeping,
    lost: () => lost,
    lease: () => api.peek<Lease>(leases, claim),
    edit: (change: (lease: Lease) => void) => api.change<Lease>(leases, claim, change),
    permits: () => {
      try {
        return held.fence.permit();
      } catch (error) {
        assert(error instanceof FencedError);
        return 0;
      }
    },
  };
}

test('a Lease is renewed 7.5 times in its duration, and its holder may write all the time', async () => {
  const { api, clock, lease, permits, stop, keeping } = await hold();
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1_000);
    assert.equal(permits(), 4_000);
  }
  assert.equal(api.writes('update').length, 30);
  assert.equal(lease()?.spec?.renewTime, microTime(clock.now()));
  assert.equal(lease()?.spec?.leaseTransitions, 0);
  stop.abort();
  await keeping;
});

test('a label that somebody wrote in between costs a read, not the Lease', async () => {
  const { clock, edit, lease, lost, permits } = await hold();
  await clock.advance(1_000);
  edit(({ metadata }) => {
    metadata.labels = { ...metadata.labels, state: 'ready' };
  });
  await clock.advance(1_000);
  assert.equal(lost(), undefined);
  assert.equal(lease()?.spec?.renewTime, microTime(clock.now()));
  assert.deepEqual(lease()?.metadata.labels, { ring: 'r', state: 'ready' }, 'the label is kept');
  assert.equal(permits(), 4_000);
});

for (const [what, labels] of Object.entries({ 'taken off': { a: 'b' }, changed: { ring: 's', a: 'b' } })) {
  test(`a label of its own that was ${what} is put back by the next renewal`, async () => {
    const { clock, edit, lease, lost } = await hold();
    await clock.advance(1_000);
    edit(({ metadata }) => {
      metadata.labels = labels;
    });
    await clock.advance(1_000);
    assert.equal(lost(), undefined);
    assert.deepEqual(lease()?.metadata.labels, { ring: 'r', a: 'b' });
  });
}

test('another holder ends it, and nothing may be written from then on', async () => {
  const { clock, edit, lost, permits, lease } = await hold();
  edit(({ spec }) => {
    if (spec) spec.holderIdentity = 'shardlease-controller';
  });
  await clock.advance(2_000);
  assert(lost() instanceof LeaseLostError);
  assert.equal(permits(), 0);
  assert.equal(lease()?.spec?.holderIdentity, 'shardlease-controller');
});

test('another process of the same name ends it', async () => {
  const { clock, edit, lost, permits } = await hold();
  edit(({ metadata }) => {
    metadata.annotations = { identity: 'two' };
  });
  await clock.advance(2_000);
  assert(lost() instanceof LeaseLostError);
  assert.equal(permits(), 0);
});

test('a deleted Lease is put back with its labels', async () => {
  const { api, clock, edit, lease, lost, permits } = await hold();
  edit(({ metadata }) => {
    metadata.labels = { ...metadata.labels, state: 'ready' };
  });
  await clock.advance(2_000);
  const { uid } = lease()?.metadata ?? {};
  api.remove(leases, claim);
  await clock.advance(2_000);
  assert.equal(lost(), undefined);
  assert.notEqual(lease()?.metadata.uid, uid);
  assert.equal(lease()?.spec?.holderIdentity, 'a');
  assert.deepEqual(lease()?.metadata.labels, { ring: 'r', state: 'ready' });
  assert.equal(permits(), 4_000);
});

test('a deleted Lease that another process made its own is lost', async () => {
  const { api, clock, lost } = await hold();
  api.remove(leases, claim);
  api.seed<Lease>(leases, claimed(undefined, { ...claim, annotations: { identity: 'two' } }, clock.now()));
  await clock.advance(2_000);
  assert(lost() instanceof LeaseLostError);
});

test('a Lease that can not be renewed is tried again and given up after 2/3 of its duration', async () => {
  const { api, clock, lost, permits } = await hold();
  await clock.advance(2_000);
  api.goDown();
  await clock.advance(9_999);
  assert.equal(lost(), undefined);
  assert.equal(permits(), 4_000);
  assert(api.writes('update').length >= 15, 'tried twice a second');
  await clock.advance(1);
  assert(lost() instanceof LeaseLostError);
  assert.equal(permits(), 0);
});

test('a Lease whose requests hang is given up after 2/3 of its duration, too', async () => {
  const { api, clock, lost } = await hold();
  api.fault({ on: renewal, times: 100, delayMs: 60_000 });
  await clock.advance(10_000);
  assert(lost() instanceof LeaseLostError);
});

test('nor does a read after a conflict outlast that time', async () => {
  const { api, clock, edit, lost } = await hold();
  edit(({ metadata }) => {
    metadata.labels = { state: 'ready' };
  });
  api.fault({ on: renewal, delayMs: 1_500, times: 100 });
  api.fault({ on: ({ verb }) => verb === 'get', delayMs: 60_000, times: 100 });
  await clock.advance(10_000);
  assert(lost() instanceof LeaseLostError);
});

test('the time counts from when the renewal was sent, not from its answer', async () => {
  const { api, clock, held } = await hold();
  api.fault({ on: renewal, delayMs: 2_500 });
  await clock.advance(2_000 + 2_500);
  assert.equal(held.fence.startableMs, 10_000 - 2_500);
});

test('a process that was frozen writes nothing after it wakes, and ends', async () => {
  const { clock, held, lost, api } = await hold();
  await clock.advance(4_000);
  const writes = api.writes().length;
  // Time passes without a timer having fired.
  clock.after(0, () => undefined);
  const frozen = 60_000;
  const now = clock.monotonic();
  clock.monotonic = () => now + frozen;
  assert.throws(() => held.fence.permit(), FencedError);
  await clock.advance(2_000);
  assert(lost() instanceof LeaseLostError);
  assert.equal(api.writes().length, writes);
});

test('a renewal whose answer was lost is found again by its holder', async () => {
  const { api, clock, lost, permits } = await hold();
  api.fault({ on: renewal, error: connectionError(), effect: true });
  await clock.advance(4_000);
  assert.equal(lost(), undefined);
  assert.equal(permits(), 4_000);
});

test('a released Lease has no holder, and nothing may be written from then on', async () => {
  const { clock, held, keeping, lease, permits, stop } = await hold();
  await clock.advance(3_000);
  stop.abort();
  await keeping;
  await held.release();
  assert.equal(lease()?.spec?.holderIdentity, '');
  assert.equal(permits(), 0);
});

test('a release survives a conflict and an error', async () => {
  const { api, clock, edit, held, keeping, lease, stop } = await hold();
  stop.abort();
  await keeping;
  edit(({ metadata }) => {
    metadata.labels = { state: 'ready' };
  });
  api.fault({ on: renewal, error: connectionError() });
  const releasing = held.release();
  await clock.advance(500);
  await releasing;
  assert.equal(lease()?.spec?.holderIdentity, '');
});

test('a renewal under way at the stop opens nothing after the release', async () => {
  const { api, clock, held, lease, permits, stop, keeping } = await hold();
  api.fault({ on: renewal, answerMs: 1_000 });
  await clock.advance(2_000);
  stop.abort();
  await held.release();
  assert.equal(lease()?.spec?.holderIdentity, '');
  await clock.advance(1_000);
  await keeping;
  assert.equal(permits(), 0);
});

test('a renewal under way at the stop that comes after the release is no loss', async () => {
  const { api, clock, held, lease, lost, stop, keeping } = await hold();
  api.fault({ on: renewal, delayMs: 1_000 });
  await clock.advance(2_000);
  stop.abort();
  await held.release();
  await clock.advance(1_000);
  await keeping;
  assert.equal(lost(), undefined);
  assert.equal(lease()?.spec?.holderIdentity, '');
});

test('a Lease taken meanwhile is not released', async () => {
  const { edit, held, keeping, lease, stop } = await hold();
  stop.abort();
  await keeping;
  edit(({ spec }) => {
    if (spec) spec.holderIdentity = 'shardlease-controller';
  });
  await held.release();
  assert.equal(lease()?.spec?.holderIdentity, 'shardlease-controller');
});

test('a mark stays until it is dropped, and is then taken off by the next renewal', async () => {
  const { clock, held, lease } = await hold({ settling: 'true' });
  await clock.advance(4_000);
  assert.equal(lease()?.metadata.annotations?.['settling'], 'true');
  held.dropMark('settling');
  assert.equal(lease()?.metadata.annotations?.['settling'], 'true');
  await clock.advance(2_000);
  assert.deepEqual(lease()?.metadata.annotations, { identity: 'one' });
});

test('a mark that was not dropped survives a conflict, one that was dropped does not', async () => {
  const { clock, edit, held, lease } = await hold({ settling: 'true' });
  const label = (value: string): void => {
    edit(({ metadata }) => {
      metadata.labels = { state: value };
    });
  };
  label('dead');
  await clock.advance(2_000);
  assert.equal(lease()?.metadata.annotations?.['settling'], 'true');
  label('ready');
  held.dropMark('settling');
  await clock.advance(2_000);
  assert.deepEqual(lease()?.metadata.annotations, { identity: 'one' });
});
