import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import { identityAnnotation } from '@controller-sharding/shared/sharding/contract.ts';

/** What tells one process that holds a shard's name from the next one; the same for as long as it only renews. */
export const holdingOf = (lease: Lease): string =>
  [
    lease.metadata.uid,
    holderOf(lease),
    lease.metadata.annotations?.[identityAnnotation],
    lease.spec?.acquireTime,
    lease.spec?.leaseTransitions,
  ].join('|');

export const isSameHolding = (a: Lease, b: Lease): boolean => holdingOf(a) === holdingOf(b);
