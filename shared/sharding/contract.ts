/** The names of the wire contract (v1alpha1) between sharder, shards and users. They never change silently. */

export const shardingGroup = 'sharding.timebertt.dev';
export const controllerRingKind = 'ControllerRing';
export const sharderNamespace = 'sharding-system';

/** Label on a Lease: the ring that its shard belongs to. */
export const ringLabel = 'alpha.sharding.timebertt.dev/controllerring';
/** Label on a Lease: what the sharder makes of it; for people, never read back. */
export const stateLabel = 'alpha.sharding.timebertt.dev/state';
/** Annotation on a Lease: the process that holds the name (a pod's uid, else random). */
export const identityAnnotation = 'alpha.sharding.timebertt.dev/pod-uid';
/** Annotation on a Lease: its holder has not settled yet; a restart before that settles again. */
export const settlingAnnotation = 'alpha.sharding.timebertt.dev/settling';
/** Annotation on a released Lease: the next process of the workload takes it over; the sharder holds off meanwhile. */
export const handedOverAnnotation = 'alpha.sharding.timebertt.dev/handed-over';
/** Annotation on a Lease: the shard's part of the ring in proportion to the others' (default 1), as in "2.5". */
export const weightAnnotation = 'alpha.sharding.timebertt.dev/weight';
/** Annotation on a Lease: "true", the shard gets nothing new and keeps what it has. */
export const cordonedAnnotation = 'alpha.sharding.timebertt.dev/cordoned';
/** Annotation on a Lease: "true", the shard gives everything away. */
export const drainAnnotation = 'alpha.sharding.timebertt.dev/drain';
/** Annotation on a Lease: the sharder took it from a shard that still renewed it, and may work until it notices. */
export const forcedAnnotation = 'alpha.sharding.timebertt.dev/forced';
/** Annotation on a ring: its resources whose objects may carry its labels, in the form of `spec.resources`. */
export const resourcesAnnotation = 'alpha.sharding.timebertt.dev/resources';
/** Holder of a Lease that the sharder took from a dead shard. */
export const sharderHolder = 'shardlease-controller';

const assignmentPrefix = 'shard.alpha.sharding.timebertt.dev/';
const drainPrefix = 'drain.alpha.sharding.timebertt.dev/';
const pinPrefix = 'pin.alpha.sharding.timebertt.dev/';

/** Label on an object: the shard it is assigned to. */
export const shardLabel = (ring: string): string => assignmentPrefix + ring;
/** Label on an object: its shard shall let go; the value names the next shard. */
export const drainLabel = (ring: string): string => drainPrefix + ring;
/** Label on a main object, by a user: the shard that it is wanted on. */
export const pinLabel = (ring: string): string => pinPrefix + ring;

/** Labels that belong to one object and must not be copied to another. */
export const isShardingLabel = (label: string): boolean =>
  label.startsWith(assignmentPrefix) || label.startsWith(drainPrefix) || label.startsWith(pinPrefix);

/** Path of a label in a JSON patch. */
export const labelPath = (label: string): string =>
  `/metadata/labels/${label.replaceAll('~', '~0').replaceAll('/', '~1')}`;

const labelValue = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const leaseName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Why a name can't be a shard's, or undefined when it can: it names a Lease and is a label's value. */
export function invalidShardName(name: string): string | undefined {
  if (name.length > 63)
    return `shard name "${name}" has ${name.length} characters: at most 63 fit into a label`;
  if (!labelValue.test(name) || !leaseName.test(name)) {
    return `shard name "${name}" is not valid: lower-case letters, digits, "-" and ".", starting and ending with a letter or digit`;
  }
  if (name === sharderHolder) return `shard name "${name}" is reserved for the sharder`;
  return undefined;
}

/** Why a name can't be a ring's, or undefined when it can: it names an object and is part of a label's name. */
export const invalidRingName = (name: string): string | undefined =>
  name.length <= 63 && leaseName.test(name)
    ? undefined
    : `ring name "${name}" is not valid: 1 to 63 lower-case letters, digits, "-" and ".", starting and ending with a letter or digit`;

export const defaultLeaseDurationSeconds = 15;
/** What a sharder may still do with an old view: a view of 5 s, a request of 5 s, and one. */
export const settleMs = 11_000;
/** What the previous process of the same pod may still have under way. */
export const samePodDelayMs = 2_000;
/** How old a view of the membership may be when something is decided on it. */
export const viewMaxAgeMs = 5_000;
/** Deadline of a sharder's request. */
export const sharderRequestMs = 5_000;
/** How long the sharder leaves the objects of a slot that was handed over to the next process. */
export const holdOffMs = 30_000;
