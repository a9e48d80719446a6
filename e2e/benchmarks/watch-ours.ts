/** One side of `watch`: our client's watch of full objects. */
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { configMaps } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { runSide } from './side.ts';
import type { WatchInput, WatchResult } from './watch.ts';

runSide(async ({ kubeconfig, warmUp, events }: WatchInput, measure): Promise<WatchResult> => {
  const client = new KubeClient(new Transport(loadKubeConfig({ kubeconfig })));
  const read = async (count: number): Promise<WatchResult> => {
    const stop = new AbortController();
    let seen = 0;
    let named = 0;
    const options = { signal: stop.signal, resourceVersion: '1', timeoutSeconds: 300 };
    for await (const event of client.watch<KubeObject>(configMaps, 'full', options)) {
      seen += 1;
      if (event.type !== 'BOOKMARK' && event.object.metadata.name !== '') named += 1;
      if (seen === count) break;
    }
    stop.abort();
    return { events: named };
  };
  await read(warmUp);
  return measure(() => read(events));
});
