import { ringLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type ControllerRing, ringResources } from '@controller-sharding/shared/sharding/controller-ring.ts';

/** How a shard's name is known to be its pod's: it is the pod's name, or the Lease of that name says which pod holds it. */
export type Fence =
  | { by: 'pod' }
  | {
      by: 'lease';
      /** Of the ring's Leases. */
      namespace: string;
    };

export interface BindingsOptions {
  ring: ControllerRing;
  /** Undefined: shards are not kept from each other's objects. */
  fence: Fence | undefined;
}

export interface PolicyBinding {
  apiVersion: 'admissionregistration.k8s.io/v1';
  kind: 'ValidatingAdmissionPolicyBinding' | 'MutatingAdmissionPolicyBinding';
  metadata: { name: string };
  spec: object;
}

/**
 * Binds the policies of manifests/policies to one ring: to the resources that it shards and their subresources, and to
 * nothing else, so that a fault in a policy can't stop the rest of a cluster.
 */
export function policyBindings({ ring, fence }: BindingsOptions): PolicyBinding[] {
  const { name } = ring.metadata;
  const resourceRules = [...Map.groupBy(ringResources(ring), ({ group }) => group)].map(
    ([group, resources]) => ({
      apiGroups: [group],
      apiVersions: ['*'],
      operations: ['*'],
      resources: resources.flatMap(({ resource }) => [resource, `${resource}/*`]),
    }),
  );
  const paramRef = { name, parameterNotFoundAction: 'Allow' };
  const validating = (policyName: string, spec: object): PolicyBinding => ({
    ...binding('ValidatingAdmissionPolicyBinding', policyName, name),
    spec: { policyName, validationActions: ['Deny'], ...spec },
  });
  const keep = 'sharding-labels-keep';
  const bindings: PolicyBinding[] = [
    {
      ...binding('MutatingAdmissionPolicyBinding', keep, name),
      spec: { policyName: keep, paramRef, matchResources: { resourceRules } },
    },
    validating('sharding-labels', { paramRef, matchResources: { resourceRules } }),
  ];
  if (fence === undefined) return bindings;
  const objectSelector = { matchExpressions: [{ key: shardLabel(name), operator: 'Exists' }] };
  const matchResources = { objectSelector, resourceRules };
  const leases = {
    selector: { matchLabels: { [ringLabel]: name } },
    parameterNotFoundAction: 'Allow',
  };
  bindings.push(
    fence.by === 'pod'
      ? validating('sharding-fence-pod', { paramRef, matchResources })
      : validating('sharding-fence-lease', {
          paramRef: { namespace: fence.namespace, ...leases },
          matchResources,
        }),
  );
  return bindings;
}

const binding = <K extends PolicyBinding['kind']>(kind: K, policy: string, ring: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1' as const,
  kind,
  metadata: { name: `${policy}-${ring}` },
});
