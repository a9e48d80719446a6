import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { Deadline } from './deadline.ts';
import { TransportError } from './errors.ts';

test('a process that stood still past the deadline sends nothing, although no timer has told it yet', () => {
  const clock = new FakeClock();
  let stoodStillMs = 0;
  const now = clock.monotonic.bind(clock);
  clock.monotonic = () => now() + stoodStillMs;
  const deadline = new Deadline(4_000, undefined, clock, 'https://server');
  stoodStillMs = 3_999;
  deadline.sending();
  const next = new Deadline(4_000, undefined, clock, 'https://server');
  stoodStillMs += 4_000;
  assert.equal(next.signal.aborted, false);
  assert.throws(() => next.sending());
  assert.equal(next.signal.aborted, true);
  const told = next.errorOf(next.signal.reason);
  assert(told instanceof TransportError && told.code === 'KUBE_TIMEOUT' && told.nothingSent);
  deadline.clear();
  next.clear();
});
