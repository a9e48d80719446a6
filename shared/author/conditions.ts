import { microTime } from '../lease/lease.ts';
import type { Condition } from '../sharding/controller-ring.ts';

/**
 * The conditions with one of them set. `lastTransitionTime` is the time at which its status last changed. The same array
 * when nothing changes, so that nothing has to be written.
 */
export function setCondition(
  conditions: Condition[] | undefined,
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: Date,
): Condition[] {
  const all = [...(conditions ?? [])];
  const index = all.findIndex(({ type }) => type === condition.type);
  const known = all[index];
  const lastTransitionTime = known?.status === condition.status ? known.lastTransitionTime : microTime(now);
  const next = { ...condition, lastTransitionTime };
  if (known === undefined) return [...all, next];
  if (conditions && isSame(known, next)) return conditions;
  all[index] = next;
  return all;
}

const isSame = (a: Condition, b: Condition): boolean =>
  a.status === b.status &&
  a.reason === b.reason &&
  a.message === b.message &&
  a.observedGeneration === b.observedGeneration;
