import { children, type HostingOptions } from '@controller-sharding/operator/webhosting/children.ts';
import { statusOf } from '@controller-sharding/operator/webhosting/phase.ts';
import * as resources from '@controller-sharding/operator/webhosting/resources.ts';
import { AppliedObjects, wantedOf } from '@controller-sharding/shared/author/applied-objects.ts';
import type { ApiClient } from '@controller-sharding/shared/kube/api-client.ts';
import type { KubeObject, Labels, Resource } from '@controller-sharding/shared/kube/types.ts';
import { shardLabel } from '@controller-sharding/shared/sharding/contract.ts';

/** As the operator has them without flags. */
const hosting: HostingOptions = { skipWorkload: false };
const applied = new AppliedObjects(resources.operatorName);

/**
 * Creates a Website with all that the operator of a shard would have made for it, and without the reads that it would
 * have needed. That the operator finds nothing to do then is one of the benchmark's figures.
 */
export async function createServed(
  client: ApiClient,
  website: resources.Website,
  theme: resources.Theme,
  shard: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: 60_000 };
  const labelled = <T extends KubeObject>(object: T): T => {
    const labels: Labels = { ...object.metadata.labels, [shardLabel(resources.operatorName)]: shard };
    return { ...object, metadata: { ...object.metadata, labels } };
  };
  const create = (resource: Resource, object: KubeObject): Promise<unknown> => {
    const patch = applied.patch(wantedOf(resource, object), undefined);
    if (patch.type !== 'apply') throw new Error('what is wanted of an object is no apply any more');
    return client.create(resource, labelled(patch.body), options);
  };
  const created = await client.create(resources.websites, labelled(website), options);
  const { configMap, deployment, service, ingress } = children(created, theme, hosting);
  await Promise.all([
    create(resources.configMaps, configMap),
    create(resources.deployments, deployment),
    create(resources.services, service),
    create(resources.ingresses, ingress),
  ]);
  const status = statusOf(created, 'Ready', new Date());
  await client.updateStatus(resources.websites, { ...created, status }, options);
}
