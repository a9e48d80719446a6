import type { JsonPatchOperation } from '@controller-sharding/shared/kube/api-client.ts';
import {
  type ObjectRef,
  type PartialObject,
  type Resource,
  resourceName,
} from '@controller-sharding/shared/kube/types.ts';
import {
  drainLabel,
  labelPath,
  pinLabel,
  shardLabel,
  viewMaxAgeMs,
} from '@controller-sharding/shared/sharding/contract.ts';
import { place } from '../placement/place.ts';
import { type Hasher, mainObjectKey } from '../placement/rendezvous.ts';
import { controllerInRing, type MainResource } from '../rings/ring-scope.ts';
import type { AdmissionRequest } from './admission-review.ts';
import type { WebhookSnapshot } from './webhook-snapshot.ts';

/** What can become of a request; the words are those of the metric. */
export const admissionOutcomes = [
  // These change the object. A main object was placed.
  'placed',
  // A controlled object got its controller's label.
  'followed',
  // A write without labels got the old label back.
  'restored',
  // A shard let go, and the drain's new shard got the object.
  'handed-over',
  // All others leave it as it is. It has the label.
  'labelled',
  // The name isn't known yet; the watch sees the object with its name.
  'no-name',
  // Not an object that the ring shards.
  'not-in-ring',
  'unknown-ring',
  // The sharder's own write.
  'by-sharder',
  // What the webhook knows is too old.
  'stale',
  // No shard can take the object now.
  'no-shard',
  // The controller is gone, or has no label itself.
  'no-controller',
  // A hand-over may be under way: the sharder decides.
  'left-to-sharder',
  // The request makes no sense.
  'unreadable',
  'timeout',
  'error',
] as const;

export type AdmissionOutcome = (typeof admissionOutcomes)[number];

type LabelledAs = 'placed' | 'followed' | 'restored' | 'handed-over';

export interface Decision {
  outcome: AdmissionOutcome;
  patch?: JsonPatchOperation[];
}

/** A controlled object's label is that of this object, which must be read first. */
export interface ControllerToRead {
  outcome: 'read-controller';
  resource: Resource;
  ref: ObjectRef;
  uid: string;
}

/** What a decision takes besides the ring's snapshot. */
export interface AdmissionView {
  hasher: Hasher;
  /** Time since the membership was last known to be as the snapshots say. */
  ageMs: number;
  /** Who the sharder is to the API server. */
  sharderUsername: string;
}

/** Decides on a request, as far as no other object is needed. Pure; the request always passes. */
export function decideAdmission(
  request: AdmissionRequest,
  snapshot: WebhookSnapshot,
  { hasher, ageMs, sharderUsername }: AdmissionView,
): Decision | ControllerToRead {
  const { object, oldObject, operation } = request;
  const { scope } = snapshot;
  const update = operation === 'UPDATE';
  if (!object || (update ? !oldObject : operation !== 'CREATE')) return { outcome: 'unreadable' };
  const found = snapshot.resources.get(resourceName(request));
  if (request.subresource !== '' || !found) return { outcome: 'not-in-ring' };
  const { resource, main } = found;
  const namespace = resource.namespaced ? request.namespace : undefined;
  if (scope.selects(namespace) === false) return { outcome: 'not-in-ring' };
  if (valueOf(object, shardLabel(scope.ring)) !== undefined) return { outcome: 'labelled' };
  if (object.metadata.name === '') return { outcome: 'no-name' };
  if (ageMs > viewMaxAgeMs) return { outcome: 'stale' };
  const subject = { object, namespace, main, controlling: controllerInRing(scope, resource, object) };
  if (!update || !oldObject) return decideNew(subject, snapshot, hasher);
  if (request.username === sharderUsername) return { outcome: 'by-sharder' };
  return decideUpdate(subject, oldObject, snapshot, hasher);
}

/** The label of a controlled object, once its controller was read; undefined: there is none. */
export function decideControlled(
  { object }: AdmissionRequest,
  { uid }: ControllerToRead,
  controller: PartialObject | undefined,
  ring: string,
): Decision {
  const shard = controller && valueOf(controller, shardLabel(ring));
  if (!object || !shard || controller.metadata.uid !== uid) return { outcome: 'no-controller' };
  return labelled('followed', object, ring, shard);
}

/** An object without the ring's label, and what it is to the ring. */
interface Subject {
  object: PartialObject;
  namespace: string | undefined;
  /** Of its own resource, if that is a main one. */
  main: MainResource | undefined;
  controlling: ReturnType<typeof controllerInRing>;
}

function decideUpdate(
  subject: Subject,
  old: PartialObject,
  snapshot: WebhookSnapshot,
  hasher: Hasher,
): Decision | ControllerToRead {
  const { object, main, controlling } = subject;
  const { ring } = snapshot.scope;
  const shard = valueOf(old, shardLabel(ring));
  const drain = valueOf(old, drainLabel(ring));
  const hasControlled = main !== undefined && main.controlled.length > 0;

  if (shard === undefined && drain === undefined) {
    return hasControlled ? { outcome: 'left-to-sharder' } : decideNew(subject, snapshot, hasher);
  }
  if (shard !== undefined && drain === undefined) return labelled('restored', object, ring, shard);
  const bothRemoved = shard !== undefined && valueOf(object, drainLabel(ring)) === undefined;
  const alone = main !== undefined && !hasControlled && controlling === undefined;
  if (bothRemoved && alone && drain !== undefined && snapshot.shards.ready.includes(drain)) {
    return labelled('handed-over', object, ring, drain);
  }
  return { outcome: 'left-to-sharder' };
}

/** Of an object that never had a label. */
function decideNew(
  { object, namespace, main, controlling }: Subject,
  { scope, shards }: WebhookSnapshot,
  hasher: Hasher,
): Decision | ControllerToRead {
  if (controlling) {
    const { resource, reference } = controlling;
    const { name, uid } = reference;
    const ref = resource.namespaced ? { namespace, name } : { name };
    return { outcome: 'read-controller', resource, ref, uid };
  }
  if (!main) return { outcome: 'not-in-ring' };
  const { group, kind } = main.resource;
  const key = mainObjectKey(group, kind, namespace, object.metadata.name);
  const shard = place(hasher, key, valueOf(object, pinLabel(scope.ring)), shards);
  return shard === undefined ? { outcome: 'no-shard' } : labelled('placed', object, scope.ring, shard);
}

const valueOf = ({ metadata: { labels } }: PartialObject, label: string): string | undefined =>
  labels && Object.hasOwn(labels, label) ? labels[label] : undefined;

function labelled(outcome: LabelledAs, object: PartialObject, ring: string, shard: string): Decision {
  const label = shardLabel(ring);
  const patch: JsonPatchOperation =
    object.metadata.labels === undefined
      ? { op: 'add', path: '/metadata/labels', value: { [label]: shard } }
      : { op: 'add', path: labelPath(label), value: shard };
  return { outcome, patch: [patch] };
}
