/**
 * A process that breaks a rule on purpose: `rogue.ts PLANT KUBECONFIG RING NAMESPACE SECRET TO TRACE_FILE`. It works on
 * and writes to the API server as a shard that has gone wrong would, and reports it in a trace as a shard does.
 */
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import { objectKey, type PartialObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { runProcess, UsageError } from '@controller-sharding/shared/runtime/process.ts';
import { labelPath, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ShardObserver } from '@controller-sharding/shared/sharding/shard-event.ts';
import { traceToFile } from '@controller-sharding/shared/sharding/trace-file.ts';
import type { Plant } from './plants.ts';

/** Long enough for the rightful shard to begin meanwhile. */
const workMs = 1_500;

interface Rogue {
  client: KubeClient;
  secret: PartialObject;
  ring: string;
  to: string;
  trace: ShardObserver;
}

const deeds: Record<Plant, (rogue: Rogue) => Promise<void>> = {
  async overlap(rogue) {
    const { client, secret, trace } = rogue;
    const about = { resource: 'secrets', object: objectKey(secret.metadata), uid: secret.metadata.uid ?? '' };
    trace({ event: 'reconcile-begin', ...about });
    // A user's change of the data wakes the rightful shard.
    const body = { stringData: { changed: clock.now().toISOString() } };
    await client.patchMetadata(secrets, secret.metadata, { type: 'merge', body });
    await clock.sleep(workMs);
    await write(rogue);
    trace({ event: 'reconcile-end', ...about, outcome: 'done' });
  },
  'late-write': write,
  unowned: (rogue) => relabel(rogue, 'nobody'),
  move: (rogue) => relabel(rogue, rogue.to),
  cordon: (rogue) => relabel(rogue, rogue.to),
};

async function write({ client, secret, trace }: Rogue): Promise<void> {
  const ref = { namespace: secret.metadata.namespace, name: `checksums-${secret.metadata.name}` };
  const about = {
    verb: 'patch',
    resource: 'configmaps',
    object: objectKey(ref),
    owner: secret.metadata.uid ?? '',
  };
  trace({ event: 'write-begin', ...about });
  const body = { metadata: { annotations: { 'rogue/wrote': clock.now().toISOString() } } };
  const written = await client.patchMetadata(configMaps, ref, { type: 'merge', body });
  trace({ event: 'write-end', ...about, resourceVersion: written.metadata.resourceVersion });
}

async function relabel({ client, secret, ring }: Rogue, to: string): Promise<void> {
  const operations = [{ op: 'replace' as const, path: labelPath(shardLabel(ring)), value: to }];
  await client.patchMetadata(secrets, secret.metadata, { type: 'json', operations });
}

await runProcess('rogue', async () => {
  const [plant = '', kubeconfig = '', ring = '', namespace = '', name = '', to = '', traceFile = ''] =
    process.argv.slice(2);
  const deed = Object.entries(deeds).find(([known]) => known === plant)?.[1];
  if (deed === undefined) throw new UsageError(`there is no plant "${plant}"`);
  const transport = new Transport(loadKubeConfig({ kubeconfig }), { clock });
  const client = new KubeClient(transport);
  const secret = await client.getMetadata(secrets, { namespace, name });
  await deed({ client, secret, ring, to, trace: traceToFile(traceFile, () => 'rogue') });
  await transport.close();
});
