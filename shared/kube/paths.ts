import { apiVersionOf, type ObjectRef, type Resource } from './types.ts';

export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const root = resource.group === '' ? '/api' : '/apis';
  const scope = namespace && resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}/${apiVersionOf(resource)}${scope}/${resource.resource}`;
}

export function objectPath(resource: Resource, { namespace, name }: ObjectRef): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}
