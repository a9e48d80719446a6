import type { Labels, ObjectMeta } from '../kube/types.ts';
import { holderOf, type Lease, microTime } from './lease.ts';

/** What a process writes into a Lease to hold it, and by which it knows that it still does. */
export interface LeaseClaim {
  namespace: string;
  name: string;
  /** Value of `spec.holderIdentity`. */
  holder: string;
  durationSeconds: number;
  /** Further marks of the holder: all must be present for the Lease to be its own. */
  annotations?: Record<string, string> | undefined;
  labels?: Labels | undefined;
}

export function isHeldBy(lease: Lease, claim: LeaseClaim): boolean {
  return (
    holderOf(lease) === claim.holder &&
    Object.entries(claim.annotations ?? {}).every(
      ([name, value]) => lease.metadata.annotations?.[name] === value,
    )
  );
}

/** The Lease as its new holder writes it: created, or taken with the resourceVersion that was read. */
export function claimed(
  existing: Lease | undefined,
  claim: LeaseClaim,
  now: Date,
  marks?: Record<string, string>,
): Lease {
  const metadata: ObjectMeta = {
    ...existing?.metadata,
    name: claim.name,
    namespace: claim.namespace,
    labels: { ...existing?.metadata.labels, ...claim.labels },
    annotations: { ...existing?.metadata.annotations, ...claim.annotations, ...marks },
  };
  const time = microTime(now);
  const sameHolder = existing !== undefined && isHeldBy(existing, claim);
  const transitions = existing?.spec?.leaseTransitions ?? 0;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: {
      ...existing?.spec,
      holderIdentity: claim.holder,
      leaseDurationSeconds: claim.durationSeconds,
      acquireTime: time,
      renewTime: time,
      leaseTransitions: existing === undefined ? 0 : sameHolder ? transitions : transitions + 1,
    },
  };
}

export const renewed = (lease: Lease, now: Date): Lease => ({
  ...lease,
  spec: { ...lease.spec, renewTime: microTime(now) },
});

export const released = (lease: Lease, now: Date): Lease => ({
  ...lease,
  spec: { ...lease.spec, holderIdentity: '', renewTime: microTime(now) },
});
