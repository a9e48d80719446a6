/** One side of `list`: our informer, until its handlers have been told of every object. */
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { ApiError } from '@controller-sharding/shared/kube/errors.ts';
import { Informer } from '@controller-sharding/shared/kube/informer.ts';
import { configMaps, namespaces } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { systemClock as clock } from '@controller-sharding/shared/runtime/clock.ts';
import { createLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { warmUpNamespace } from './list-objects.ts';
import { runSide } from './side.ts';
import { heapUsedBytes } from './usage-meter.ts';

export interface OursInput {
  kubeconfig: string;
  /** `projected`: metadata only, of which the identity is kept; `full`: the objects as they are. */
  form: 'projected' | 'full';
  by: 'watch list' | 'paged list';
}

export interface OursResult {
  objects: number;
  heapBytes: number;
  /** Since the warm-up. */
  newConnections: number;
}

const identity = ({ metadata: { name, namespace = '', uid = '', resourceVersion = '' } }: KubeObject) => ({
  metadata: { name, namespace, uid, resourceVersion },
});

/** As an API server that doesn't know watch lists. */
function withoutWatchList(client: KubeClient): Pick<KubeClient, 'list' | 'watch'> {
  return {
    list: (resource, form, options) => client.list(resource, form, options),
    watch: (resource, form, options) => {
      if (options.sendInitialEvents) throw new ApiError(422, 'Invalid', 'sendInitialEvents is not known');
      return client.watch(resource, form, options);
    },
  };
}

runSide(async ({ kubeconfig, form, by }: OursInput, measure): Promise<OursResult> => {
  const signal = AbortSignal.timeout(600_000);
  const transport = new Transport(loadKubeConfig({ kubeconfig }), { clock });
  const client = new KubeClient(transport);
  const informerOf = (namespace?: string) =>
    new Informer<KubeObject>({
      client: by === 'watch list' ? client : withoutWatchList(client),
      resource: configMaps,
      namespace,
      clock,
      logger: createLogger({ level: 'error', name: 'bench' }),
      ...(form === 'full' ? { form: 'full' } : { form: 'metadata', project: identity }),
    });

  const stopWarmUp = new AbortController();
  const warmUp = informerOf(warmUpNamespace);
  const warmingUp = warmUp.run(stopWarmUp.signal);
  await warmUp.waitForSync(signal);
  stopWarmUp.abort();
  await warmingUp;
  // Twice, since the connection of the watch that was stopped may be closing while the first are on their way.
  for (let round = 0; round < 2; round += 1) {
    await Promise.all(Array.from({ length: 5 }, () => client.listPage(namespaces, 'metadata', { limit: 3 })));
  }

  const connections = transport.connectionsOpened;
  const heapBefore = heapUsedBytes();
  const informer = informerOf();
  let objects = 0;
  informer.addHandler({ added: () => (objects += 1) });
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  await measure(async () => {
    running = informer.run(stop.signal);
    await informer.waitForSync(signal);
  });
  const heapBytes = heapUsedBytes() - heapBefore;
  const newConnections = transport.connectionsOpened - connections;
  stop.abort();
  await running;
  return { objects, heapBytes, newConnections };
});
