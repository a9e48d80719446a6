import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { forEachAtOnce } from './at-once.ts';

test('so many are worked on at a time, and all of them in the end', async () => {
  const clock = new FakeClock();
  const done: number[] = [];
  let running = 0;
  let most = 0;
  const all = forEachAtOnce(3, [0, 1, 2, 3, 4, 5, 6], async (item) => {
    most = Math.max(most, (running += 1));
    await clock.sleep(10);
    running -= 1;
    done.push(item);
  });
  await clock.advance(20);
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
  await clock.advance(10);
  await all;
  assert.deepEqual([done.length, most], [7, 3]);
  await forEachAtOnce(3, [], () => assert.fail('there is none'));
});

test('after an error none is begun, and those that have begun are waited for', async () => {
  const clock = new FakeClock();
  const begun: number[] = [];
  let ended = 0;
  const all = forEachAtOnce(2, [0, 1, 2, 3], async (item) => {
    begun.push(item);
    await clock.sleep(item === 0 ? 10 : 50);
    ended += 1;
    if (item === 0) throw new Error('no');
  });
  let rejected = false;
  const checked = assert.rejects(all, /no/).then(() => (rejected = true));
  await clock.advance(20);
  assert.equal(rejected, false);
  await clock.advance(50);
  await checked;
  assert.deepEqual([begun, ended], [[0, 1], 2]);
});
