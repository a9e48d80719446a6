import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Controller } from './controller.ts';

function start() {
  const clock = new FakeClock();
  const [stop, atOnce] = [new AbortController(), new AbortController()];
  const begun: string[] = [];
  const abortedAt: number[] = [];
  const controller = new Controller<string>({
    name: 'test',
    clock,
    logger: silentLogger,
    concurrency: 2,
    reconcile: async (key, signal) => {
      begun.push(key);
      await clock.sleep(60_000, signal).catch(() => abortedAt.push(clock.monotonic()));
    },
  });
  const running = controller.run(stop.signal, atOnce.signal);
  return { clock, stop, atOnce, begun, abortedAt, controller, running };
}

test('what has just begun is aborted at once, too, and nothing begins before the stop that follows', async () => {
  const { clock, stop, atOnce, begun, abortedAt, controller, running } = start();
  controller.enqueue('a');
  await clock.advance(1_000);
  for (const key of ['b', 'c', 'd']) controller.enqueue(key);
  atOnce.abort();
  await clock.advance(1_000);
  stop.abort();
  await running;
  assert.ok(!begun.includes('c') && !begun.includes('d'), begun.join());
  assert.deepEqual(
    abortedAt,
    begun.map(() => 1_000),
  );
  assert.equal(clock.pending, 0);
});

test('a controller that is told to end at once before it runs does nothing', async () => {
  const { stop: _, atOnce, begun, controller, running, clock } = start();
  atOnce.abort();
  controller.enqueue('a');
  await clock.advance(1_000);
  await running;
  assert.deepEqual(begun, []);
});
