import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import { isAlreadyExists } from '@controller-sharding/shared/kube/errors.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { apiVersionOf } from '@controller-sharding/shared/kube/types.ts';
import type { ReconcileRequest } from '@controller-sharding/shared/sharding/shard-options.ts';
import { shardProcess } from '@controller-sharding/shared/sharding/shard-process.ts';
import { branches, serviceAccounts, treeNamespaces, trees } from './trees.ts';

/** Makes what is missing below an object of one level, and then below that. */
const reconciler =
  (_client: ApiClient) =>
  async ({ object, writer, controlled }: ReconcileRequest<KubeObject>): Promise<void> => {
    for (const namespace of treeNamespaces) {
      let above: KubeObject = object;
      let aboveResource = trees;
      for (const resource of branches) {
        const { name, uid = '' } = above.metadata;
        const known = controlled(resource).find(({ metadata }) => metadata.namespace === namespace);
        const reference = { apiVersion: apiVersionOf(aboveResource), kind: aboveResource.kind, name, uid };
        const wanted: KubeObject = {
          metadata: { name, namespace, ownerReferences: [{ ...reference, controller: true }] },
        };
        try {
          above = known ?? (await writer.create(resource, wanted));
        } catch (error) {
          // It has not arrived yet: its cache tells of it.
          if (isAlreadyExists(error)) return;
          throw error;
        }
        aboveResource = resource;
      }
    }
  };

await shardProcess<KubeObject>({
  name: 'tree-operator',
  purpose: 'For tests: below each Tree, in two namespaces, a ConfigMap, which controls a Secret, and so on.',
  ring: 'trees',
  main: trees,
  controlled: [configMaps, secrets, serviceAccounts],
  reconciler,
});
