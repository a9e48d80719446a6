import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { WatchHealth } from './watch-health.ts';

const tickMs = 250;

function start() {
  const clock = new FakeClock();
  const health = new WatchHealth(clock);
  let recoveries = 0;
  const tick = async (ms: number, { heard = false } = {}): Promise<void> => {
    for (let passed = 0; passed < ms; passed += tickMs) {
      await clock.advance(tickMs);
      if (heard) health.progress();
      if (health.recovered()) recoveries += 1;
    }
  };
  const connect = (): void => {
    health.connected();
    health.confirmed(clock.monotonic());
    if (health.recovered()) recoveries += 1;
  };
  return { clock, health, tick, connect, recoveries: () => recoveries };
}

test('a view is none before it was complete once', async () => {
  const { health, tick } = start();
  assert.equal(health.ageMs, Infinity);
  await tick(500, { heard: true });
  assert.equal(health.healthy, false);
  assert.equal(health.ageMs, Infinity);
});

test('a watch that is heard of every few seconds is healthy, and its view young', async () => {
  const { health, tick, connect, recoveries } = start();
  connect();
  assert.equal(health.healthy, true);
  for (let round = 0; round < 20; round += 1) {
    await tick(4_000);
    assert.equal(health.ageMs, 4_000);
    health.progress();
  }
  assert.equal(recoveries(), 1);
});

test('5 s of silence end it, and it is healthy again, once, with the next answer', async () => {
  const { clock, health, tick, connect, recoveries } = start();
  connect();
  await tick(5_000);
  assert.equal(health.healthy, true);
  await tick(250);
  assert.equal(health.healthy, false);
  health.confirmed(clock.monotonic());
  await tick(500);
  assert.equal(health.healthy, true);
  assert.equal(recoveries(), 2);
});

test('a watch that broke is not healthy, whatever is heard, and not the present until all was read again', async () => {
  const { clock, health, tick, connect } = start();
  connect();
  health.disconnected();
  await tick(250, { heard: true });
  assert.equal(health.healthy, false);
  assert.equal(health.ageMs, Infinity);
  health.connected();
  await tick(250, { heard: true });
  assert.equal(health.ageMs, Infinity, 'it may have much to catch up with');
  health.confirmed(clock.monotonic() - 1_000);
  assert.equal(health.ageMs, 0);
});

test('the age of an answer counts from when it was asked for', async () => {
  const { clock, health, tick, connect } = start();
  connect();
  await tick(4_000);
  health.confirmed(clock.monotonic() - 3_000);
  assert.equal(health.ageMs, 3_000);
  health.confirmed(0);
  assert.equal(health.ageMs, 3_000);
});

test('what a process receives right after a pause is not taken for the present', async () => {
  const { clock, health, tick, connect, recoveries } = start();
  connect();
  await tick(1_000, { heard: true });
  await clock.advance(2_000);
  health.progress();
  assert.equal(health.ageMs, Infinity, 'before its loop ran again');
  await tick(250, { heard: true });
  assert.equal(health.ageMs, Infinity, 'and after');
  health.confirmed(clock.monotonic());
  assert.equal(health.ageMs, 0);
  assert.equal(recoveries(), 1, 'so short a pause costs nobody time');
});

test('after a longer pause everybody is given time again', async () => {
  const { clock, health, tick, connect, recoveries } = start();
  connect();
  await clock.advance(6_000);
  health.progress();
  await tick(500, { heard: true });
  assert.equal(recoveries(), 2);
});
