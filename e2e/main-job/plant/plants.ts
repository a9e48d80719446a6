/**
 * Violations that a script can plant, to see that they are caught: an overlapping reconcile, a write of a shard that
 * the object doesn't belong to, an object given to a shard that is none, a move without a reason, an object given to a
 * cordoned shard.
 */
export const plants = ['overlap', 'late-write', 'unowned', 'move', 'cordon'] as const;
export type Plant = (typeof plants)[number];

/** The rule that each of them breaks. */
export const brokenRule: Record<Plant, string> = {
  overlap: 'exclusive work',
  'late-write': 'exclusive writes',
  unowned: 'ownership',
  move: 'stability',
  cordon: 'cordon',
};
