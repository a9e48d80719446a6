import type { Labels, ObjectMeta } from '../kube/types.ts';
import { holderOf, type Lease, microTime, nextTransitions } from './lease.ts';

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

/** Of less, too little is left for renewals that fail and are tried again, and for writes that end in time. */
const leastDurationSeconds = 5;

/** Throws RangeError for a duration that no Lease can have (the API server wants whole seconds) or that is too short. */
export function checkLeaseDuration(durationSeconds: number): void {
  if (!Number.isInteger(durationSeconds) || durationSeconds < leastDurationSeconds)
    throw new RangeError(
      `durationSeconds must be a whole number of at least ${leastDurationSeconds}, not ${durationSeconds}`,
    );
}

export function isHeldBy(lease: Lease, claim: LeaseClaim): boolean {
  return (
    holderOf(lease) === claim.holder &&
    Object.entries(claim.annotations ?? {}).every(
      ([name, value]) => lease.metadata.annotations?.[name] === value,
    )
  );
}

/**
 * The Lease as its new holder writes it: created, or taken with the resourceVersion that was read. A mark of the value
 * undefined is taken off.
 */
export function claimed(
  existing: Lease | undefined,
  claim: LeaseClaim,
  now: Date,
  marks?: Record<string, string | undefined>,
): Lease {
  const metadata: ObjectMeta = {
    ...existing?.metadata,
    name: claim.name,
    namespace: claim.namespace,
    labels: { ...existing?.metadata.labels, ...claim.labels },
    annotations: marked({ ...existing?.metadata.annotations, ...claim.annotations }, marks),
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
      leaseTransitions: existing === undefined ? 0 : sameHolder ? transitions : nextTransitions(existing),
    },
  };
}

export const renewed = (lease: Lease, now: Date): Lease => ({
  ...lease,
  spec: { ...lease.spec, renewTime: microTime(now) },
});

/** With its holder's labels: a shard's Lease without that of its ring is seen by no sharder. */
export const labelled = (lease: Lease, { labels }: LeaseClaim): Lease =>
  labels === undefined
    ? lease
    : { ...lease, metadata: { ...lease.metadata, labels: { ...lease.metadata.labels, ...labels } } };

export const released = (lease: Lease, now: Date, marks?: Record<string, string>): Lease => ({
  ...lease,
  ...(marks && {
    metadata: { ...lease.metadata, annotations: { ...lease.metadata.annotations, ...marks } },
  }),
  spec: { ...lease.spec, holderIdentity: '', renewTime: microTime(now) },
});

function marked(
  annotations: Record<string, string>,
  marks: Record<string, string | undefined> = {},
): Record<string, string> {
  const all = Object.entries({ ...annotations, ...marks });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
