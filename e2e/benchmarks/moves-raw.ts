/** The other side of `moves`: writes labels with the same patches, one after the other, and thinks of nothing. */
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { labelPatch } from '@controller-sharding/shared/sharding/label-patch.ts';
import { childResource, ownerResource, ring } from './moves-objects.ts';

export interface RawWrite {
  what: 'owner' | 'child';
  object: PartialObject;
  to: string;
}

export interface RawRequest {
  kubeconfig: string;
  writes: RawWrite[];
}

const atOnce = 100;

let client: KubeClient | undefined;

process.once('disconnect', () => process.exit(0));
process.on('message', ({ kubeconfig, writes }: RawRequest) => {
  client ??= new KubeClient(new Transport(loadKubeConfig({ kubeconfig }), { maxConnections: atOnce }));
  write(client, writes).then(
    () => process.send?.('done'),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

async function write(to: KubeClient, writes: readonly RawWrite[]): Promise<void> {
  const patches = writes.map(({ what, object, to: shard }) => ({
    resource: what === 'owner' ? ownerResource : childResource,
    ref: object.metadata,
    patch:
      what === 'owner'
        ? labelPatch(object, { [shardLabel(ring)]: shard, [drainLabel(ring)]: undefined })
        : labelPatch(object, { [shardLabel(ring)]: shard }, { controllerUid: true }),
  }));
  let next = 0;
  const work = async (): Promise<void> => {
    for (let each = patches[next++]; each; each = patches[next++]) {
      await to.patchMetadata(each.resource, each.ref, each.patch);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
