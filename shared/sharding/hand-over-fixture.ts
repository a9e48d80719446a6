import type { ApiRequest } from '../testing/api-faults.ts';
import { ShardWorld } from './shard-fixture.ts';

/** The shard `a` at work on the Secret `s` with its ConfigMap `s-sums`. */
export async function working(options: Parameters<ShardWorld['start']>[0] = {}) {
  const world = new ShardWorld();
  const running = world.start(options);
  await world.clock.advance(0);
  world.secret('s', 'a');
  await world.clock.advance(100);
  world.api.requests.length = 0;
  running.events.length = 0;
  const { api, clock } = world;
  return { world, ...running, api, clock, shards: () => world.shards('s', 's-sums') };
}

const patchOf =
  (resource: string, object: string) =>
  (request: ApiRequest): boolean =>
    request.verb === 'patch' && request.resource === resource && request.object === `default/${object}`;
export const ownerPatch = patchOf('secrets', 's');
export const childPatch = patchOf('configmaps', 's-sums');
export const reads = (requests: ApiRequest[], resource: string, verb: ApiRequest['verb']): number =>
  requests.filter((request) => request.resource === resource && request.verb === verb).length;
