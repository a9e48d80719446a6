import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../testing/fake-clock.ts';
import { lowPriority, WorkQueue } from './work-queue.ts';

const never = new AbortController().signal;

test('a key added many times is given out once', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('a');
  queue.add('a');
  queue.add('b');
  assert.equal(queue.length, 2);
  assert.equal(await queue.get(never), 'a');
  assert.equal(await queue.get(never), 'b');
  assert.equal(queue.length, 0);
});

test('a key added while it is worked on comes back when it is done, not before', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('a');
  assert.equal(await queue.get(never), 'a');
  queue.add('a');
  queue.add('a');
  assert.equal(queue.length, 0);
  queue.done('a');
  assert.equal(queue.length, 1);
  assert.equal(await queue.get(never), 'a');
  queue.done('a');
  assert.equal(queue.length, 0);
});

test('workers that wait are served in the order in which they came', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  const first = queue.get(never);
  const second = queue.get(never);
  queue.add('a');
  queue.add('b');
  assert.deepEqual(await Promise.all([first, second]), ['a', 'b']);
});

test('a worker whose signal is aborted gets nothing and takes no key with it', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  const leaving = new AbortController();
  const gone = queue.get(leaving.signal);
  leaving.abort();
  queue.add('a');
  assert.equal(await gone, undefined);
  assert.equal(await queue.get(leaving.signal), undefined);
  assert.equal(await queue.get(never), 'a');
});

test('a worker that waits many times leaves nothing behind on its signal', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  const { signal } = new AbortController();
  for (let i = 0; i < 5; i += 1) {
    const got = queue.get(signal);
    queue.add('a');
    queue.done((await got) ?? '');
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a queue that is shut down frees its workers, drops what waits and takes nothing more', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('a');
  assert.equal(await queue.get(never), 'a');
  queue.add('a');
  const waiting = queue.get(never);
  queue.shutDown();
  assert.equal(await waiting, undefined);
  queue.add('b');
  queue.done('a');
  assert.equal(queue.length, 0);
  assert.equal(await queue.get(never), undefined);
});

test('done for a key that nobody has changes nothing', () => {
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('a');
  queue.done('a');
  assert.equal(queue.length, 1);
});

/** What the queue gives out, one after the other, until it is empty. */
async function drain(queue: WorkQueue<string>): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = (await queue.get(never)) ?? '';
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

test('keys of greater priority come first, those of one priority in the order of their arrival', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('listed-1', lowPriority);
  queue.add('listed-2', lowPriority);
  queue.add('fresh-1');
  queue.add('urgent', 7);
  queue.add('fresh-2');
  assert.deepEqual(await drain(queue), ['urgent', 'fresh-1', 'fresh-2', 'listed-1', 'listed-2']);
});

test('a key that is added again with a greater priority moves up, with a smaller one it stays', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key, lowPriority);
  queue.add('c');
  queue.add('a');
  queue.add('c', lowPriority);
  assert.equal(queue.length, 4);
  assert.deepEqual(await drain(queue), ['c', 'a', 'b', 'd']);
});

test('a key that is worked on keeps the greatest priority it was added with meanwhile, and no older one', async () => {
  const queue = new WorkQueue<string>(new FakeClock());
  queue.add('a', 5);
  assert.equal(await queue.get(never), 'a');
  assert.equal(queue.priorityOf('a'), 5);
  queue.add('a', lowPriority);
  queue.add('b');
  queue.add('a', -1);
  queue.add('a', -2);
  queue.done('a');
  assert.equal(queue.length, 2);
  assert.equal(await queue.get(never), 'b');
  assert.equal(await queue.get(never), 'a');
  assert.equal(queue.priorityOf('a'), -1);
});

test('the observer hears of every step once, with the time that a key waited', async () => {
  const clock = new FakeClock();
  const heard: string[] = [];
  const queue = new WorkQueue<string>(clock, {
    added: (key) => heard.push(`added ${key}`),
    taken: (key, waitedMs) => heard.push(`taken ${key} after ${waitedMs}`),
    done: (key) => heard.push(`done ${key}`),
    retried() {},
    dropped: (keys) => heard.push(`dropped ${keys}`),
  });
  queue.add('a');
  queue.add('a', 1);
  await clock.advance(30);
  await queue.get(never);
  queue.add('a');
  await clock.advance(5);
  queue.done('a');
  await queue.get(never);
  queue.add('a');
  queue.add('b');
  queue.shutDown();
  queue.shutDown();
  queue.done('a');
  assert.deepEqual(heard, [
    'added a',
    'taken a after 30',
    'added a',
    'done a',
    'taken a after 5',
    'added a',
    'added b',
    'dropped 2',
    'done a',
  ]);
});

test('never two workers on one key, and no key is lost, for any order of what happens', async () => {
  const keys = ['a', 'b', 'c'];
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      key: fc.constantFrom(...keys),
      priority: fc.constantFrom(lowPriority, 0, 1),
    }),
    fc.record({ kind: fc.constant('get' as const) }),
    fc.record({ kind: fc.constant('leave' as const), worker: fc.nat(5) }),
    fc.record({ kind: fc.constant('done' as const), worker: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const queue = new WorkQueue<string>(new FakeClock());
      const atWork: string[] = [];
      const waiting: AbortController[] = [];
      // Keys that were added and not begun since.
      const owed = new Set<string>();
      const begin = (key: string | undefined): void => {
        if (key === undefined) return;
        assert.ok(!atWork.includes(key), `two workers on ${key}`);
        assert.ok(owed.delete(key), `${key} given out though nobody asked`);
        atWork.push(key);
      };
      for (const now of steps) {
        if (now.kind === 'add') {
          owed.add(now.key);
          queue.add(now.key, now.priority);
        } else if (now.kind === 'get') {
          const abort = new AbortController();
          waiting.push(abort);
          const got = queue.get(abort.signal).then((key) => {
            waiting.splice(waiting.indexOf(abort), 1);
            begin(key);
          });
          await Promise.race([got, Promise.resolve()]);
        } else if (now.kind === 'leave') {
          waiting[now.worker]?.abort();
        } else {
          const [key] = atWork.splice(now.worker, 1);
          if (key !== undefined) queue.done(key);
        }
        await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
        await Promise.resolve();
      }
      for (const abort of waiting.slice()) abort.abort();
      await new Promise((resolve) => setImmediate(resolve));
      for (const key of atWork.splice(0)) queue.done(key);
      while (queue.length > 0) {
        begin(await queue.get(never));
        for (const key of atWork.splice(0)) queue.done(key);
      }
      assert.deepEqual([...owed], [], 'keys were lost');
    }),
    { numRuns: 200 },
  );
});
