import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leases } from '../kube/resources.ts';
import { silentLogger } from '../runtime/logger.ts';
import { connectionError } from '../testing/api-faults.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import type { HeldLease } from './held-lease.ts';
import { becomeLeader } from './leader-election.ts';
import { holderOf, type Lease, microTime } from './lease.ts';

const ref = { namespace: 'sharding-system', name: 'sharder' };

function start() {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const candidate = (holder: string) => {
    const stop = new AbortController();
    let held: HeldLease | undefined;
    let error: unknown;
    const options = {
      client: api,
      clock,
      logger: silentLogger,
      claim: { ...ref, holder, durationSeconds: 15 },
    };
    const ended = becomeLeader(options, stop.signal).then(
      (won) => {
        held = won;
        void won.keep(stop.signal).catch(() => undefined);
      },
      (reason: unknown) => {
        error = reason;
      },
    );
    return { stop, ended, held: () => held, error: () => error };
  };
  const holder = () => holderOf(api.peek<Lease>(leases, ref) ?? { metadata: { name: '' } });
  return { clock, api, candidate, holder };
}

for (const durationSeconds of [0, -1, 4, 7.5, Number.NaN]) {
  test(`a duration of ${durationSeconds} s is refused`, async () => {
    const { clock, api } = start();
    const options = {
      client: api,
      clock,
      logger: silentLogger,
      claim: { ...ref, holder: 'one', durationSeconds },
    };
    await assert.rejects(becomeLeader(options, new AbortController().signal), {
      name: 'RangeError',
      message: `durationSeconds must be a whole number of at least 5, not ${durationSeconds}`,
    });
    assert.equal(api.peek(leases, ref), undefined);
  });
}

test('who is stopped while its claim is on the way gives the Lease back', async () => {
  const { clock, api, candidate, holder } = start();
  api.fault({ on: ({ verb }) => verb === 'create', answerMs: 100 });
  const one = candidate('one');
  await clock.advance(50);
  assert.equal(holder(), 'one');
  one.stop.abort(new Error('stop'));
  await clock.advance(1_000);
  assert.equal(holder(), '');
  assert.match(String(one.error()), /stop/);
});

test('of two candidates one leads, and the other one waits', async () => {
  const { clock, candidate, holder } = start();
  const [one, two] = [candidate('one'), candidate('two')];
  await clock.advance(60_000);
  assert.equal([one, two].filter((each) => each.held() !== undefined).length, 1);
  assert.equal(holder(), one.held() ? 'one' : 'two');
});

test('a leader that is silent is succeeded after its full duration, on the clock of who waits', async () => {
  const { api, clock, candidate } = start();
  api.seed<Lease>(leases, {
    metadata: { ...ref },
    // Whatever the time says that stands there.
    spec: {
      holderIdentity: 'one',
      leaseDurationSeconds: 20,
      renewTime: '2000-01-01T00:00:00.000000Z',
      leaseTransitions: 3,
    },
  });
  const two = candidate('two');
  await clock.advance(19_900);
  assert.equal(two.held(), undefined);
  await clock.advance(2_100);
  assert(two.held());
  assert.equal(api.peek<Lease>(leases, ref)?.spec?.leaseTransitions, 4);
});

test('a leader that renews is never succeeded', async () => {
  const { api, clock, candidate, holder } = start();
  api.seed<Lease>(leases, {
    metadata: { ...ref },
    spec: { holderIdentity: 'one', leaseDurationSeconds: 15 },
  });
  const two = candidate('two');
  for (let round = 0; round < 10; round += 1) {
    await clock.advance(14_000);
    api.change<Lease>(leases, ref, ({ spec }) => {
      if (spec) spec.renewTime = microTime(clock.now());
    });
  }
  assert.equal(two.held(), undefined);
  assert.equal(holder(), 'one');
});

test('a released Lease is taken at the next look', async () => {
  const { clock, candidate, holder } = start();
  const one = candidate('one');
  await clock.advance(0);
  const two = candidate('two');
  await clock.advance(5_000);
  one.stop.abort();
  await one.held()?.release();
  await clock.advance(2_000);
  assert(two.held());
  assert.equal(holder(), 'two');
});

test('a leader that renewed between look and claim stays', async () => {
  const { api, clock, candidate, holder } = start();
  api.seed<Lease>(leases, {
    metadata: { ...ref },
    spec: { holderIdentity: 'one', leaseDurationSeconds: 15 },
  });
  const two = candidate('two');
  api.fault({
    on: ({ verb }) => verb === 'update',
    meanwhile: () =>
      api.change<Lease>(leases, ref, ({ spec }) => {
        if (spec) spec.renewTime = microTime(clock.now());
      }),
  });
  await clock.advance(17_000);
  assert.equal(api.writes('update').length, 1);
  assert.equal(two.held(), undefined);
  assert.equal(holder(), 'one');
});

test('the own Lease is taken back at once, also when the answer to its claim was lost', async () => {
  const { api, clock, candidate } = start();
  api.fault({ on: ({ verb }) => verb === 'create', error: connectionError(), effect: true });
  const one = candidate('one');
  await clock.advance(1_000);
  assert(one.held());
  assert.equal(api.peek<Lease>(leases, ref)?.spec?.leaseTransitions, 0);
});

test('an API server that is away is waited for, until the signal', async () => {
  const { api, clock, candidate } = start();
  api.goDown();
  const [one, two] = [candidate('one'), candidate('two')];
  await clock.advance(30_000);
  two.stop.abort(new Error('enough'));
  await two.ended;
  assert.match(String(two.error()), /enough/);
  api.comeUp();
  await clock.advance(1_000);
  assert(one.held());
});
