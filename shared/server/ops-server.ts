import { type FastifyInstance, fastify } from 'fastify';
import { type Address, formatAddress, parseAddress } from '../runtime/address.ts';
import type { Logger } from '../runtime/logger.ts';
import { listen } from './listen.ts';
import { type MetricsPage, UnavailableError } from './metrics-page.ts';

/** True: fine. False, or a text that says why not: the kubelet restarts (live) or leaves out (ready) the pod. */
export interface Health {
  live(): boolean | string;
  ready(): boolean | string;
}

export interface OpsServerOptions {
  /** `host:port` as in `parseAddress`; `0`: no server. */
  address: string | Address;
  /** Served on /healthz and /readyz. */
  health?: Health | undefined;
  /** Served on /metrics. */
  registry?: MetricsPage | undefined;
  logger: Logger;
}

export interface OpsServer {
  /** `host:port` in use; `0` if there is no server. */
  readonly address: string;
  readonly port: number;
  /** Ends the server and its connections. */
  close(): Promise<void>;
}

/** Serves health and metrics to kubelet and Prometheus. Throws UsageError for a wrong address, ListenError. */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const { health, registry, logger } = options;
  const address =
    typeof options.address === 'string' ? parseAddress('address', options.address) : options.address;
  if (address === undefined) return { address: '0', port: 0, close: () => Promise.resolve() };

  const app = fastify({ forceCloseConnections: true });
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof UnavailableError)
      return reply.code(503).type('text/plain').send(`${error.message}\n`);
    logger.error({ err: error, path: request.url }, 'ops request failed');
    return reply.code(500).type('text/plain').send('internal error\n');
  });
  if (health !== undefined) {
    serveCheck(app, '/healthz', () => health.live());
    serveCheck(app, '/readyz', () => health.ready());
  }
  if (registry !== undefined) {
    app.get('/metrics', async (_request, reply) =>
      reply.type(registry.contentType).send(await registry.metrics()),
    );
  }
  const bound = await listen(app, address);
  logger.debug({ address: formatAddress(bound) }, 'serving health and metrics');
  return { address: formatAddress(bound), port: bound.port, close: () => app.close() };
}

function serveCheck(app: FastifyInstance, path: string, check: () => boolean | string): void {
  app.get(path, (_request, reply) => {
    const answer = check();
    reply.type('text/plain');
    return answer === true
      ? reply.send('ok\n')
      : reply.code(503).send(`${answer === false ? 'not ok' : answer}\n`);
  });
}
