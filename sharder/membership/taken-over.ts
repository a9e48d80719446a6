import {
  durationMsOf,
  greatestInt32,
  type Lease,
  microTime,
  nextTransitions,
} from '@controller-sharding/shared/lease/lease.ts';
import {
  forcedAnnotation,
  handedOverAnnotation,
  sharderHolder,
} from '@controller-sharding/shared/sharding/contract.ts';

/** The Lease as the sharder takes it from a shard that no longer renews it, or whose place nobody took. */
export function takenOver(lease: Lease, now: Date): Lease {
  const {
    [forcedAnnotation]: _earlier,
    [handedOverAnnotation]: _held,
    ...annotations
  } = lease.metadata.annotations ?? {};
  return {
    ...lease,
    metadata: { ...lease.metadata, annotations },
    spec: {
      ...lease.spec,
      holderIdentity: sharderHolder,
      leaseDurationSeconds: Math.min((durationMsOf(lease) / 1000) * 2, greatestInt32),
      acquireTime: microTime(now),
      renewTime: microTime(now),
      leaseTransitions: nextTransitions(lease),
    },
  };
}
