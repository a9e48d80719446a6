import type { Registry } from 'prom-client';
import { restClientMetrics } from '../metrics/rest-client.ts';
import type { Clock } from '../runtime/clock.ts';
import { KubeClient } from './client.ts';
import { loadKubeConfig } from './config.ts';
import { DiscoveryRestMapper } from './rest-mapping.ts';
import { Transport, type TransportOptions } from './transport.ts';

/** A process's one way to its API server. */
export interface Connection {
  client: KubeClient;
  mapper: DiscoveryRestMapper;
  transport: Transport;
  /** The namespace of the context or the pod. */
  namespace: string;
  close(): Promise<void>;
}

export interface ConnectOptions extends Pick<TransportOptions, 'qps' | 'burst' | 'userAgent' | 'logger'> {
  /** Path of a kubeconfig file; default as in `KubeConfigOptions`. */
  kubeconfig?: string | undefined;
  clock: Clock;
  registry: Registry;
}

/** Throws TransportError `KUBE_CONFIG` when there is no usable configuration, RangeError for limits that make no sense; nothing is requested yet. */
export function connect(options: ConnectOptions): Connection {
  const { kubeconfig, registry, ...transportOptions } = options;
  const config = loadKubeConfig({ kubeconfig });
  const transport = new Transport(config, { ...transportOptions, metrics: restClientMetrics(registry) });
  return {
    client: new KubeClient(transport),
    mapper: new DiscoveryRestMapper(transport, options.clock),
    transport,
    namespace: config.namespace,
    close: () => transport.close(),
  };
}
