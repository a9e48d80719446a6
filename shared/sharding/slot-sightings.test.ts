import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../lease/lease.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { SlotSightings } from './slot-sightings.ts';

const lease = (name: string, uid = '1', renewTime = ''): Lease => ({
  metadata: { name, uid },
  spec: { holderIdentity: name, renewTime },
});

test('a Lease is unchanged since it was seen first, or changed last', async () => {
  const clock = new FakeClock();
  const sightings = new SlotSightings(clock);
  const ages = (...leases: Lease[]): number[] => sightings.seen(leases).map(({ unchangedMs }) => unchangedMs);
  assert.deepEqual(ages(lease('a'), lease('b')), [0, 0]);
  await clock.advance(1_000);
  assert.deepEqual(ages(lease('a'), lease('b', '1', 'later')), [1_000, 0]);
  await clock.advance(1_000);
  assert.deepEqual(ages(lease('a', '2'), lease('b', '1', 'later')), [0, 1_000]);
  await clock.advance(1_000);
  assert.deepEqual(ages(), []);
  assert.deepEqual(ages(lease('a', '2')), [0], 'what was gone is new');
});

test('what was deleted is known until it is back', async () => {
  const clock = new FakeClock();
  const sightings = new SlotSightings(clock);
  sightings.seen([lease('a')]);
  assert.equal(sightings.vanished('a'), false);
  sightings.seen([]);
  await clock.advance(2_000);
  assert.equal(sightings.vanished('a'), true);
  assert.equal(sightings.absentMs('a'), 2_000);
  assert.equal(sightings.absentMs('b'), 0);
  await clock.advance(500);
  assert.equal(sightings.absentMs('b'), 500);
  sightings.seen([lease('a')]);
  assert.equal(sightings.vanished('a'), false);
});

test('a name that exists without being seen is refused, one that is seen after all is not', () => {
  const sightings = new SlotSightings(new FakeClock());
  sightings.exists('a');
  sightings.exists('b');
  sightings.seen([lease('a')]);
  assert.deepEqual([...sightings.refused], ['b']);
});
