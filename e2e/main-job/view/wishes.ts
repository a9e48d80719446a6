import type { Job } from '../job.ts';
import type { ShardView } from '../observer/shards.ts';
import { count } from '../script/report.ts';

const greatestWeight = 4;

/** What the keys ask for of the newest replica; cordons and drains are undone wherever they are. */
export async function actOnWishes(
  job: Job,
  action: 'pin' | 'unpin' | 'weight' | 'cordon' | 'drain',
  signal: AbortSignal,
): Promise<string> {
  const { world } = job.observer;
  if (action === 'unpin') {
    const pinned = world.pinnedSecrets();
    for (const secret of pinned) await job.pin(secret, undefined, signal);
    return `unpinned: ${count(pinned.length, 'Secret')}, which stay where they are`;
  }
  const newest = job.fleet.replicas.at(-1);
  const shard = newest === undefined ? undefined : world.shards.get(newest);
  if (shard?.state !== 'live') return 'the newest replica is not ready yet';
  const { name, wishes } = shard;
  switch (action) {
    case 'pin': {
      const secret = world.restingSecret(name);
      if (secret === undefined) return `there is no Secret to pin to ${name}`;
      await job.pin(secret, name, signal);
      return `${secret.object} was pinned to ${name}`;
    }
    case 'weight': {
      const weight = wishes.weight < greatestWeight ? wishes.weight * 2 : 1;
      await job.wish(name, { weight }, signal);
      return `${name} got the weight ${weight}`;
    }
    case 'cordon':
      return toggle(job, shard, 'cordoned', signal);
    case 'drain':
      return toggle(job, shard, 'draining', signal);
  }
}

async function toggle(
  job: Job,
  newest: ShardView,
  wish: 'cordoned' | 'draining',
  signal: AbortSignal,
): Promise<string> {
  const { shards } = job.observer.world;
  const wished = shards.all().filter(({ state, wishes }) => state === 'live' && wishes[wish]);
  for (const { name } of wished) await job.wish(name, { [wish]: false }, signal);
  if (wished.length > 0) return `${wished.map(({ name }) => name).join(', ')}: no longer ${wish}`;
  await job.wish(newest.name, { [wish]: true }, signal);
  return `${newest.name} is ${wish}: it ${wish === 'draining' ? 'gives everything away' : 'gets nothing new'}`;
}
