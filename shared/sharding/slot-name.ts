import { invalidShardName } from './contract.ts';

/** More would be a mistake: the names of a ring's shards are part of selectors. */
const greatestNumber = 9_999;

/** The name of a ring's slot: `<ring>-0`, `<ring>-1`, … */
export const slotName = (ring: string, number: number): string => `${ring}-${number}`;

/** Number of the slot with that name; undefined when it is none of the ring's. */
export function slotNumber(ring: string, name: string): number | undefined {
  const text = name.startsWith(`${ring}-`) ? name.slice(ring.length + 1) : '';
  return /^(0|[1-9]\d{0,3})$/.test(text) ? Number(text) : undefined;
}

/** Why slots of a ring can't be named, or undefined when they can. */
export const invalidSlotRing = (ring: string): string | undefined =>
  invalidShardName(slotName(ring, greatestNumber));
