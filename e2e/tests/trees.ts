import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';

/** Cluster-scoped main objects. */
export const trees: Resource = {
  group: 'example.test',
  version: 'v1',
  resource: 'trees',
  kind: 'Tree',
  namespaced: false,
};

export const serviceAccounts: Resource = {
  group: '',
  version: 'v1',
  resource: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};

/** Each controls the next one. */
export const branches: readonly Resource[] = [configMaps, secrets, serviceAccounts];

export const treeNamespaces = ['forest', 'garden'];

interface Definition extends KubeObject {
  spec: object;
}

export const treeDefinition: Definition = {
  metadata: { name: `${trees.resource}.${trees.group}` },
  spec: {
    group: trees.group,
    scope: 'Cluster',
    names: { plural: trees.resource, singular: 'tree', kind: trees.kind },
    versions: [
      { name: trees.version, served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};
