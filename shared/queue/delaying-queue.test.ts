import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../testing/fake-clock.ts';
import { DelayingQueue } from './delaying-queue.ts';

const never = new AbortController().signal;

test('a key comes when its delay has passed, not before', async () => {
  const clock = new FakeClock();
  const queue = new DelayingQueue<string>(clock);
  queue.addAfter('a', 100);
  await clock.advance(99);
  assert.equal(queue.length, 0);
  await clock.advance(1);
  assert.equal(queue.length, 1);
  assert.equal(queue.delayedLength, 0);
});

test('a key without delay comes at once', () => {
  const queue = new DelayingQueue<string>(new FakeClock());
  queue.addAfter('a', 0);
  queue.addAfter('b', -1);
  queue.addAfter('c', Number.NaN);
  assert.equal(queue.length, 3);
});

for (const [first, second] of [
  [100, 50],
  [50, 100],
] as const) {
  test(`of the delays ${first} and ${second} of one key, the one that ends first counts, once`, async () => {
    const clock = new FakeClock();
    const queue = new DelayingQueue<string>(clock);
    queue.addAfter('a', first);
    queue.addAfter('a', second);
    await clock.advance(50);
    assert.equal(await queue.get(never), 'a');
    queue.done('a');
    await clock.advance(1000);
    assert.equal(queue.length, 0);
  });
}

test('a delayed key comes with the greatest priority that it was added with', async () => {
  const clock = new FakeClock();
  const queue = new DelayingQueue<string>(clock);
  queue.addAfter('low', 10, -100);
  queue.addAfter('raised', 20, -100);
  queue.addAfter('raised', 30, 5);
  queue.addAfter('plain', 5);
  await clock.advance(20);
  assert.deepEqual(
    [await queue.get(never), await queue.get(never), await queue.get(never)],
    ['raised', 'plain', 'low'],
  );
  queue.done('raised');
  await clock.advance(10);
  assert.equal(queue.length, 0, 'one delay per key');
});

test('a key that is added while its delay lasts comes now, and once more at its end', async () => {
  const clock = new FakeClock();
  const queue = new DelayingQueue<string>(clock);
  queue.addAfter('a', 10);
  queue.add('a');
  assert.equal(await queue.get(never), 'a');
  queue.done('a');
  await clock.advance(10);
  assert.equal(await queue.get(never), 'a');
});

test('all delays together use one timer', () => {
  const clock = new FakeClock();
  const queue = new DelayingQueue<string>(clock);
  for (let i = 0; i < 100; i += 1) queue.addAfter(`key-${i}`, 1000 - i);
  assert.equal(clock.pending, 1);
  queue.shutDown();
  assert.equal(clock.pending, 0);
});

test('keys that fall due at once come in the order in which they were added, in turns', async () => {
  const clock = new FakeClock();
  const queue = new DelayingQueue<string>(clock);
  const keys = Array.from({ length: 2_500 }, (_, i) => `key-${i}`);
  for (const key of keys) queue.addAfter(key, 10);
  await clock.advance(10);
  const got: (string | undefined)[] = [];
  while (queue.length > 0) got.push(await queue.get(never));
  assert.deepEqual(got, keys);
});

test('a delay longer than the platform can time is kept', async () => {
  const clock = new (class extends FakeClock {
    override after(ms: number, callback: () => void): () => void {
      assert.ok(ms < 2 ** 31, 'the platform would fire at once');
      return super.after(ms, callback);
    }
  })();
  const queue = new DelayingQueue<string>(clock);
  const weeks = 8 * 7 * 24 * 3_600_000;
  queue.addAfter('a', weeks);
  await clock.advance(weeks - 1);
  assert.equal(queue.length, 0);
  await clock.advance(1);
  assert.equal(queue.length, 1);
});

test('after the shutdown no delay ends any more', async () => {
  const clock = new FakeClock();
  const queue = new DelayingQueue<string>(clock);
  queue.addAfter('a', 10);
  queue.shutDown();
  queue.addAfter('b', 10);
  await clock.advance(20);
  assert.equal(queue.length, 0);
  assert.equal(clock.pending, 0);
});

test('every key comes at the earliest time it was added for since it last came', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    delay: fc.integer({ min: 1, max: 20 }),
    pause: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const clock = new FakeClock();
      const due = new Map<string, number>();
      let came = 0;
      const queue = new DelayingQueue<string>(clock, {
        added(key) {
          assert.equal(clock.monotonic(), due.get(key), key);
          due.delete(key);
          came += 1;
          queueMicrotask(() => void queue.get(never).then((got) => got !== undefined && queue.done(got)));
        },
        taken() {},
        done() {},
        retried() {},
        dropped() {},
      });
      for (const { key, delay, pause } of steps) {
        const at = clock.monotonic() + delay;
        due.set(key, Math.min(due.get(key) ?? at, at));
        queue.addAfter(key, delay);
        await clock.advance(pause);
      }
      await clock.advance(20);
      assert.equal(due.size, 0);
      assert.ok(steps.length === 0 || came > 0);
    }),
    { numRuns: 50 },
  );
});
