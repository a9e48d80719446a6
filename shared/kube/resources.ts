import type { Resource } from './types.ts';

/** Resources whose form is known beforehand; everything else is found by discovery. */
export const leases: Resource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  kind: 'Lease',
  namespaced: true,
};
export const secrets: Resource = core('secrets', 'Secret', true);
export const configMaps: Resource = core('configmaps', 'ConfigMap', true);
export const namespaces: Resource = core('namespaces', 'Namespace', false);
export const pods: Resource = core('pods', 'Pod', true);
export const deployments: Resource = apps('deployments', 'Deployment');
export const replicaSets: Resource = apps('replicasets', 'ReplicaSet');
export const statefulSets: Resource = apps('statefulsets', 'StatefulSet');
export const events: Resource = {
  group: 'events.k8s.io',
  version: 'v1',
  resource: 'events',
  kind: 'Event',
  namespaced: true,
};
export const mutatingWebhookConfigurations: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  resource: 'mutatingwebhookconfigurations',
  kind: 'MutatingWebhookConfiguration',
  namespaced: false,
};
export const customResourceDefinitions: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
export const controllerRings: Resource = {
  group: 'sharding.timebertt.dev',
  version: 'v1alpha1',
  resource: 'controllerrings',
  kind: 'ControllerRing',
  namespaced: false,
};

function core(resource: string, kind: string, namespaced: boolean): Resource {
  return { group: '', version: 'v1', resource, kind, namespaced };
}

function apps(resource: string, kind: string): Resource {
  return { group: 'apps', version: 'v1', resource, kind, namespaced: true };
}
