import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { timeoutError } from '@controller-sharding/shared/testing/api-faults.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { MoveLimit, type MovePriority } from './move-limit.ts';

const items = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('rings and kinds of moves together have no more under way than the limit', async () => {
  const clock = new FakeClock();
  const limit = new MoveLimit(clock, 5);
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, limit.running);
    await clock.sleep(10);
  };
  const all = ['rescue', 'place', 'level'] as const;
  const done = Promise.all(all.map((priority) => limit.forEach(priority, items(20), work)));
  await clock.advance(1_000);
  await done;
  assert.equal(most, 5);
  assert.equal(limit.running, 0);
});

test('what was abandoned goes first, then what has to be placed, then what is levelled', async () => {
  const clock = new FakeClock();
  const limit = new MoveLimit(clock, 2);
  const order: MovePriority[] = [];
  const run = (priority: MovePriority): Promise<void> =>
    limit.forEach(priority, items(4), async () => {
      order.push(priority);
      await clock.sleep(10);
    });
  const done = [run('level')];
  await clock.advance(5);
  done.push(run('rescue'), run('place'));
  await clock.advance(1_000);
  await Promise.all(done);
  const expected: MovePriority[] = [
    'level',
    ...Array<MovePriority>(4).fill('rescue'),
    ...Array<MovePriority>(4).fill('place'),
    ...Array<MovePriority>(3).fill('level'),
  ];
  assert.deepEqual(order, expected);
});

test('levelling takes a quarter of the places, and one at least', async () => {
  for (const [most, expected] of [
    [100, 25],
    [2, 1],
  ] as const) {
    const clock = new FakeClock();
    const limit = new MoveLimit(clock, most);
    let highest = 0;
    const done = limit.forEach('level', items(1_000), async () => {
      const written = limit.writing();
      highest = Math.max(highest, limit.running);
      await clock.sleep(10);
      written();
    });
    await clock.advance(15_000);
    await done;
    assert.equal(highest, expected);
  }
});

test('what is refused for one item keeps no other waiting, and is told in the end', async () => {
  const seen: number[] = [];
  const all = new MoveLimit(new FakeClock(), 2).forEach('place', items(10), async (item) => {
    seen.push(item);
    if (item === 1) throw new ApiError(403, 'Forbidden', 'a webhook says no');
  });
  await assert.rejects(all, /a webhook says no/);
  assert.deepEqual(seen, items(10));
});

test('an error that will meet all of them begins none of those that wait', async () => {
  const limit = new MoveLimit(new FakeClock(), 20);
  const begun: number[] = [];
  // Ten are begun before an answer has come; ten more wait for their turn.
  const all = limit.forEach('place', items(20), async (item) => {
    begun.push(item);
    throw new ApiError(500, 'InternalError', 'down');
  });
  await assert.rejects(all, /down/);
  assert.deepEqual(begun, items(10));
  assert.equal(limit.running, 0);
});

const overloads = [
  new ApiError(429, 'TooManyRequests', 'full'),
  new ApiError(503, 'ServiceUnavailable', 'starting'),
  new ApiError(504, 'Timeout', 'late'),
  timeoutError(),
];
for (const error of overloads) {
  test(`fewer are begun after an overload: ${error.message}`, () => {
    const limit = new MoveLimit(new FakeClock(), 8);
    limit.writing()(error);
    assert.equal(limit.allowed, 4);
  });
}

test('what is refused for one object is no overload', () => {
  const limit = new MoveLimit(new FakeClock(), 8);
  limit.writing()(new ApiError(403, 'Forbidden', 'no'));
  limit.writing()();
  assert.equal(limit.allowed, 8);
});

test('an API server that refuses more than 20 at a time is given 10,000 writes with few refusals', async () => {
  const clock = new FakeClock();
  const limit = new MoveLimit(clock, 100);
  const left = new Set(items(10_000));
  let serving = 0;
  let refused = 0;
  const write = async (item: number): Promise<void> => {
    const ended = limit.writing();
    if (serving === 20) {
      const error = new ApiError(429, 'TooManyRequests', 'full');
      refused += 1;
      ended(error);
      throw error;
    }
    serving += 1;
    await clock.sleep(20);
    serving -= 1;
    ended();
    left.delete(item);
  };
  // As a round of moves: a second after an error it is begun anew.
  const rounds = async (): Promise<void> => {
    while (left.size > 0) {
      await limit.forEach('place', [...left], write).catch(() => clock.sleep(1_000));
    }
  };
  const done = rounds();
  await clock.advance(300_000);
  assert.equal(left.size, 0);
  await done;
  assert.ok(refused > 0 && refused < 500, `${refused} refused`);
});
