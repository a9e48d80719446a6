import type { Registry } from 'prom-client';
import { restClientMetrics } from '../metrics/rest-client.ts';
import type { Clock } from '../runtime/clock.ts';
import { KubeClient } from './client.ts';
import { currentNamespace, loadKubeConfig } from './config.ts';
import { DiscoveryRestMapper } from './rest-mapping.ts';
import { Transport } from './transport.ts';

/** A process's one way to its API server. */
export interface Connection {
  client: KubeClient;
  mapper: DiscoveryRestMapper;
  transport: Transport;
  /** The namespace of the context or the pod. */
  namespace: string;
  close(): Promise<void>;
}

/** Throws TransportError `KUBE_CONFIG` when there is no usable configuration; nothing is requested yet. */
export function connect(options: {
  kubeconfig?: string | undefined;
  clock: Clock;
  registry: Registry;
}): Connection {
  const config = loadKubeConfig({
    ...(options.kubeconfig !== undefined && { kubeconfig: options.kubeconfig }),
  });
  const transport = new Transport(config, {
    clock: options.clock,
    metrics: { onRequest: restClientMetrics(options.registry) },
  });
  return {
    client: new KubeClient(transport),
    mapper: new DiscoveryRestMapper(transport, options.clock),
    transport,
    namespace: currentNamespace(config),
    close: () => transport.close(),
  };
}
