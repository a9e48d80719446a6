import { withinBand } from '@controller-sharding/sharder/placement/shares.ts';
import type { ShardSummary, Summary } from './world.ts';

export interface Rest {
  /** Secrets that there are. */
  secrets: number;
  /** Also the shares have to be level: so they are after a change of the membership. */
  level: boolean;
}

/**
 * What is still missing until the ring is at rest: every object on a live shard that isn't drained, and on the one that
 * it is pinned to if that can take it; pairs together, nothing on the move. Empty when it is.
 */
export function openPoints(summary: Summary, { secrets: expected, level }: Rest): string[] {
  const points: string[] = [];
  const say = (count: number, what: string): void => {
    if (count > 0) points.push(`${count} ${what}`);
  };
  say(expected - summary.secrets, 'Secrets not seen yet');
  say(summary.unassigned, 'objects without a shard');
  for (const { name, state, wishes, secrets, configMaps } of summary.shards) {
    if (state !== 'live') say(secrets + configMaps, `objects on ${name}, which is ${state}`);
    else if (wishes.draining) say(secrets + configMaps, `objects on ${name}, which is draining`);
  }
  say(summary.astray, 'Secrets on another shard than the one they are pinned to');
  say(summary.single, 'Secrets without a ConfigMap');
  say(summary.split, 'ConfigMaps on another shard than their Secret');
  say(summary.moving, 'Secrets on the move (drain label)');
  const live = summary.shards.filter(({ state }) => state === 'live');
  if (live.length === 0) points.push('no live shard');
  const starting = summary.shards.filter(({ state, since }) => state === 'starting' && since > 0);
  for (const { name } of starting) points.push(`${name} has no Lease yet`);
  if (level && points.length === 0 && !isLevel(live)) {
    points.push(`shares not level: ${live.map(({ name, secrets }) => `${name} ${secrets}`).join(', ')}`);
  }
  return points;
}

/** What cordoned and draining shards hold isn't shared out. */
function isLevel(live: readonly ShardSummary[]): boolean {
  const usable = live.filter(({ wishes }) => !wishes.cordoned && !wishes.draining);
  return withinBand(
    usable.map(({ name, wishes, secrets, pinned }) => ({
      name,
      weight: wishes.weight,
      load: secrets,
      fixed: pinned,
    })),
  );
}
