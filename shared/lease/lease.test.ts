import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { durationMsOf, type Lease, LeaseObservation, type LeaseSpec, microTime } from './lease.ts';

const lease = (spec: LeaseSpec, uid = 'uid-1', labels: Record<string, string> = {}): Lease => ({
  metadata: { namespace: 'default', name: 'a', uid, labels },
  spec,
});

test('a time has six fractional digits, as the API server demands', () => {
  assert.equal(microTime(new Date('2026-01-02T03:04:05.120Z')), '2026-01-02T03:04:05.120000Z');
  assert.equal(microTime(new Date('2026-01-02T03:04:05Z')), '2026-01-02T03:04:05.000000Z');
});

test('a missing or senseless duration counts as 15 s', () => {
  const rows: Array<[LeaseSpec, number]> = [
    [{ leaseDurationSeconds: 30 }, 30_000],
    [{}, 15_000],
    [{ leaseDurationSeconds: null }, 15_000],
    [{ leaseDurationSeconds: 0 }, 15_000],
    [{ leaseDurationSeconds: -1 }, 15_000],
  ];
  for (const [spec, expected] of rows) assert.equal(durationMsOf(lease(spec)), expected);
  assert.equal(durationMsOf({ metadata: { name: 'a' } }), 15_000);
});

test('only what a living holder changes counts as a change, on the own clock of who looks', async () => {
  const clock = new FakeClock();
  const observation = new LeaseObservation(clock);
  const held = { holderIdentity: 'a', renewTime: '1', leaseTransitions: 1 };
  assert.equal(observation.observe(lease(held)), 0);
  await clock.advance(5_000);
  assert.equal(observation.observe(lease(held)), 5_000);
  assert.equal(observation.observe(lease(held, 'uid-1', { state: 'ready' })), 5_000, 'a label is no renewal');
  assert.equal(observation.observe(lease({ ...held, leaseDurationSeconds: 30 })), 5_000);
  for (const change of [
    lease({ ...held, renewTime: '2' }),
    lease({ ...held, holderIdentity: 'b' }),
    lease({ ...held, leaseTransitions: 2 }),
    lease(held, 'uid-2'),
  ]) {
    await clock.advance(1_000);
    assert.equal(observation.observe(change), 0);
  }
});
