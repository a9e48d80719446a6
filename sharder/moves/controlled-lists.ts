import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { controllerOf, type PartialObject, type Resource } from '@controller-sharding/shared/kube/types.ts';
import { sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { MainResource } from '../rings/ring-scope.ts';

export interface Controlled {
  resource: Resource;
  object: PartialObject;
}

/**
 * The controlled objects of many owners of one main resource, by the owners' uids: one list per namespace and
 * controlled resource (one in all for cluster-scoped owners), never one per owner.
 */
export async function listControlled(
  client: Pick<ApiClient, 'list'>,
  ring: string,
  main: MainResource,
  owners: readonly PartialObject[],
  signal: AbortSignal,
): Promise<Map<string, Controlled[]>> {
  const wanted = new Set(owners.map((owner) => owner.metadata.uid ?? ''));
  const namespaces = new Set(
    owners.map((owner) => (main.resource.namespaced ? owner.metadata.namespace : undefined)),
  );
  const found = new Map<string, Controlled[]>();
  for (const namespace of namespaces) {
    for (const resource of main.controlled) {
      const pages = client.list(resource, 'metadata', {
        namespace,
        labelSelector: shardLabel(ring),
        signal,
        timeoutMs: sharderRequestMs,
      });
      for await (const { items } of pages) {
        for (const object of items) {
          const uid = controllerOf(object)?.uid;
          if (uid === undefined || !wanted.has(uid)) continue;
          const children = found.get(uid);
          if (children) children.push({ resource, object });
          else found.set(uid, [{ resource, object }]);
        }
      }
    }
  }
  return found;
}
