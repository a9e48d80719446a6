/** The other side of `list`: the typed list of `@kubernetes/client-node`, or its informer until it has listed. */
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node';
import { warmUpNamespace } from './list-objects.ts';
import { runSide } from './side.ts';

export interface ClientNodeInput {
  kubeconfig: string;
  by: 'typed list' | 'informer';
}

export interface ClientNodeResult {
  objects: number;
}

runSide(async ({ kubeconfig, by }: ClientNodeInput, measure): Promise<ClientNodeResult> => {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  await api.listNamespacedConfigMap({ namespace: warmUpNamespace });
  if (by === 'typed list') {
    const { items } = await measure(() => api.listConfigMapForAllNamespaces());
    return { objects: items.length };
  }
  const informer = makeInformer<V1ConfigMap>(config, '/api/v1/configmaps', () =>
    api.listConfigMapForAllNamespaces(),
  );
  let objects = 0;
  informer.on('add', () => {
    objects += 1;
  });
  await measure(() => informer.start());
  await informer.stop();
  return { objects };
});
