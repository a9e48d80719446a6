import type { GroupResource, KubeObject, Labels } from '../kube/types.ts';
import { sharderNamespace, shardingGroup } from './contract.ts';

export const controllerRingApiVersion = `${shardingGroup}/v1alpha1`;

/** Label that the API server puts on every namespace: its own name. */
const namespaceNameLabel = 'kubernetes.io/metadata.name';

/** A set of shards that share the objects of some resources; cluster-scoped. */
export interface ControllerRing extends KubeObject {
  spec?: ControllerRingSpec;
  status?: ControllerRingStatus;
}

export interface ControllerRingSpec {
  /** What the ring's operators reconcile. */
  resources?: RingResource[];
  /** Namespaces whose objects belong to the ring; see `ringNamespaceSelector` for the default. */
  namespaceSelector?: LabelSelector;
}

/** A main resource and those that its operator creates for it (with `controller: true` owner references). */
export interface RingResource extends GroupResource {
  controlledResources?: GroupResource[];
}

export interface ControllerRingStatus {
  observedGeneration?: number;
  shards: number;
  availableShards: number;
  /** Exactly one type: `Ready`. */
  conditions?: Condition[];
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: LabelSelectorRequirement[];
}

export interface LabelSelectorRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: string[];
}

const keyOf = ({ group, resource }: GroupResource): string => `${group}/${resource}`;

/** Each resource that the ring shards, main or controlled, once, in the order of the spec. */
export function ringResources(ring: ControllerRing): GroupResource[] {
  const resources = new Map<string, GroupResource>();
  for (const main of ring.spec?.resources ?? []) {
    for (const { group, resource } of [main, ...(main.controlledResources ?? [])]) {
      resources.set(keyOf({ group, resource }), { group, resource });
    }
  }
  return [...resources.values()];
}

/** The ring's own selector, else every namespace but kube-system and sharding-system. */
export function ringNamespaceSelector(ring: ControllerRing): LabelSelector {
  return (
    ring.spec?.namespaceSelector ?? {
      matchExpressions: [
        { key: namespaceNameLabel, operator: 'NotIn', values: ['kube-system', sharderNamespace] },
      ],
    }
  );
}

/** Whether labels fulfil all of the selector; an empty selector takes everything. */
export function matchesSelector(selector: LabelSelector, labels: Labels | undefined): boolean {
  const valueOf = (key: string): string | undefined =>
    labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => valueOf(key) === value) &&
    (selector.matchExpressions ?? []).every((requirement) => fulfils(requirement, valueOf(requirement.key)))
  );
}

function fulfils({ operator, values }: LabelSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && (values ?? []).includes(value);
    case 'NotIn':
      return value === undefined || !(values ?? []).includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false; // not an operator that the API server accepts
  }
}
