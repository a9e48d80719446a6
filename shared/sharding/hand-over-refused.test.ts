import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../kube/errors.ts';
import { ShardWorld } from './shard-fixture.ts';

test('a hand-over that is refused is tried less and less often', async () => {
  const world = new ShardWorld();
  world.start();
  await world.clock.advance(0);
  world.secret('s', 'a');
  await world.clock.advance(100);
  const error = new ApiError(403, 'Forbidden', 'a policy says no');
  const on = (request: { verb: string; resource: string }): boolean =>
    request.verb === 'patch' && request.resource === 'secrets';
  world.api.fault({ on, error, times: Number.MAX_SAFE_INTEGER });
  world.api.requests.length = 0;
  world.drain('s', 'b');
  for (let second = 0; second < 60; second++) await world.clock.advance(1_000);
  const tries = world.api.requests.filter(on).length;
  assert.ok(tries >= 5 && tries < 30, `${tries} tries in a minute`);
});
