import type { Request } from '@controller-sharding/shared/controller/definition.ts';
import { isAlreadyExists } from '@controller-sharding/shared/kube/errors.ts';
import { onlyMetadata } from '@controller-sharding/shared/kube/only-metadata.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { apiVersionOf, type KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { runOperator } from '@controller-sharding/shared/manager/run-operator.ts';
import { branches, serviceAccounts, treeNamespaces, trees } from './trees.ts';

/** Makes what is missing below an object of one level, and then below that. */
async function reconcile({ object, client, owned }: Request<KubeObject>): Promise<void> {
  for (const namespace of treeNamespaces) {
    let above: KubeObject = object;
    let aboveResource = trees;
    for (const resource of branches) {
      const { name, uid = '' } = above.metadata;
      const known = owned(resource).find(({ metadata }) => metadata.namespace === namespace);
      const reference = { apiVersion: apiVersionOf(aboveResource), kind: aboveResource.kind, name, uid };
      const wanted: KubeObject = {
        metadata: { name, namespace, ownerReferences: [{ ...reference, controller: true }] },
      };
      try {
        above = known ?? (await client.create(resource, wanted));
      } catch (error) {
        // It has not arrived yet: its cache tells of it.
        if (isAlreadyExists(error)) return;
        throw error;
      }
      aboveResource = resource;
    }
  }
}

await runOperator({
  name: 'tree-operator',
  purpose: 'For tests: below each Tree, in two namespaces, a ConfigMap, which controls a Secret, and so on.',
  ring: 'trees',
  setup({ manager, workers }) {
    const owns = [configMaps, secrets, serviceAccounts].map(onlyMetadata);
    manager.controller({ name: 'tree', for: onlyMetadata(trees), owns, concurrency: workers, reconcile });
  },
});
