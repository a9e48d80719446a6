import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingWorld } from './ring-fixture.ts';
import { RingMover } from './ring-mover.ts';

test('names that anybody wrote hold up nobody: the objects of a shard that ends move at once', async () => {
  const world = new RingWorld();
  await world.withShards('a', 'b', 'c');
  for (let i = 0; i < 20; i += 1) world.secret(`s${i}`, 'a');
  const mover = new RingMover(world.moves, 300_000);
  world.membership.onChange(() => mover.membershipChanged());
  const ended = mover.run(world.signal);
  await world.clock.advance(2_000);
  const names = 1_000;
  for (let i = 0; i < names; i += 1) world.secret(`h${i}`, `name-${i}`);
  // So long each list takes.
  world.api.fault({ on: ({ verb }) => verb === 'list', delayMs: 5, times: Number.MAX_SAFE_INTEGER });
  mover.membershipChanged();
  const left = (): number => Object.keys(world.loads()).filter((shard) => shard.startsWith('name-')).length;
  for (let at = 0; at < 30_000 && left() === names; at += 500) await world.clock.advance(500);
  assert(left() < names && left() > names / 2, `they are being moved, ${left()} are left`);
  world.release('a');
  let ms = 0;
  for (; (world.loads()['a'] ?? 0) > 0 && ms < 20_000; ms += 100) await world.clock.advance(100);
  assert.ok(ms <= 3_000, `${ms} ms`);
  for (let at = 0; at < 240_000 && left() > 0; at += 2_000) await world.clock.advance(2_000);
  assert.equal(left(), 0);
  world.stop.abort();
  await ended;
});
