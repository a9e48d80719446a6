import { durationMsOf, holderOf, type Lease } from '../lease/lease.ts';
import { forcedAnnotation, sharderHolder } from './contract.ts';

/**
 * Whether the shard from which the sharder took this Lease by force may still be at work: until a full duration of its
 * own has passed. The takeover doubled what stands in the Lease.
 *
 * @param unchangedMs since when the claim is seen unchanged, on the observer's own clock
 */
export const mayStillWork = (lease: Lease, unchangedMs: number): boolean =>
  holderOf(lease) === sharderHolder &&
  lease.metadata.annotations?.[forcedAnnotation] !== undefined &&
  unchangedMs < durationMsOf(lease) / 2;
