import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type Controlled, ControlledTrees } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import { isMissingRight } from '../rings/missing-rights.ts';
import { controlledResources, type RingScope } from '../rings/ring-scope.ts';

/**
 * All that many owners of one resource control, at any depth, by the owners' uids: one list per namespace and
 * controlled resource (one in all for cluster-scoped owners), never one per owner. Without what it may not list.
 */
export async function listControlled(
  client: Pick<ApiClient, 'list'>,
  scope: RingScope,
  resource: Resource,
  owners: readonly PartialObject[],
  signal: AbortSignal,
): Promise<Map<string, Controlled[]>> {
  const resources = controlledResources(scope, resource).filter(
    ({ namespaced }) => namespaced || !resource.namespaced,
  );
  const byNamespace = Map.groupBy(owners, ({ metadata }) =>
    resource.namespaced ? metadata.namespace : undefined,
  );
  const found = new Map<string, Controlled[]>();
  for (const [namespace, group] of byNamespace) {
    const uids = group.map(({ metadata }) => metadata.uid ?? '');
    const trees = new ControlledTrees(uids, resources);
    for (const controlled of resources) {
      const pages = client.list(controlled, 'metadata', {
        namespace,
        labelSelector: shardLabel(scope.ring),
        signal,
        timeoutMs: sharderRequestMs,
      });
      try {
        for await (const { items } of pages) for (const object of items) trees.add(controlled, object);
      } catch (error) {
        // The ring's status tells of it: these objects stay as they are.
        if (!isMissingRight(error)) throw error;
      }
      trees.listed(controlled);
    }
    for (const uid of uids) {
      const tree = trees.of(uid);
      if (tree.length > 0) found.set(uid, tree);
    }
  }
  return found;
}
