import type { Lease } from '../lease/lease.ts';
import { weightAnnotation } from './contract.ts';

/** Beyond that, a shard would be given all or nothing, for which there are cordon and drain. */
export const leastWeight = 0.01;
export const greatestWeight = 1_000;
const decimal = /^\d+(\.\d+)?$/;

/** Undefined for what is no weight. */
export function parseWeight(text: string): number | undefined {
  const weight = decimal.test(text) ? Number(text) : Number.NaN;
  return weight >= leastWeight && weight <= greatestWeight ? weight : undefined;
}

/** A shard's part of its ring, in proportion to the other shards' weights; 1 unless its Lease says another. */
export const weightOf = ({ metadata }: Lease): number =>
  parseWeight(metadata.annotations?.[weightAnnotation] ?? '') ?? 1;
