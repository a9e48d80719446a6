/** The other side of `watch`: Watch of `@kubernetes/client-node`. */
import { KubeConfig, type V1ConfigMap, Watch } from '@kubernetes/client-node';
import { runSide } from './side.ts';
import type { WatchInput, WatchResult } from './watch.ts';

runSide(async ({ kubeconfig, warmUp, events }: WatchInput, measure): Promise<WatchResult> => {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const watch = new Watch(config);
  const read = async (count: number): Promise<WatchResult> => {
    let seen = 0;
    let named = 0;
    const { promise: complete, resolve, reject } = Promise.withResolvers<void>();
    const request = await watch.watch(
      '/api/v1/configmaps',
      { resourceVersion: '1' },
      (_type: string, object: V1ConfigMap) => {
        seen += 1;
        if (object.metadata?.name !== '') named += seen <= count ? 1 : 0;
        if (seen === count) resolve();
      },
      (error: unknown) => (seen < count ? reject(new Error(`the watch ended: ${String(error)}`)) : undefined),
    );
    await complete;
    request.abort();
    return { events: named };
  };
  await read(warmUp);
  return measure(() => read(events));
});
