import type { KubeObject, Resource } from '@controller-sharding/shared/kube/types.ts';

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** Conditions are a list that server-side apply merges by type. */
const status = {
  ...anything,
  properties: {
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: { ...anything, required: ['type'], properties: { type: { type: 'string' } } },
    },
  },
};

/** The CustomResourceDefinition of a resource whose fields may be anything. */
export function definitionOf(resource: Resource, statusSubresource: boolean): KubeObject {
  const { group, version, resource: plural, kind, namespaced } = resource;
  const spec = {
    group,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    names: { plural, kind, singular: kind.toLowerCase() },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { ...anything, properties: { spec: anything, status } } },
        ...(statusSubresource && { subresources: { status: {} } }),
      },
    ],
  };
  return Object.assign({ metadata: { name: `${plural}.${group}` } }, { spec });
}
