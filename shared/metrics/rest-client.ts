import { Counter, Histogram } from 'prom-client';
import { oncePerRegistry } from './registry.ts';

/** Called once per request when it has ended: HTTP method, status (`error`: there was no answer), time taken. */
export type OnRequest = (method: string, status: number | 'error', durationMs: number) => void;

/** Counts and times the requests to the API server, under client-go's names. */
export const restClientMetrics = oncePerRegistry((registry): OnRequest => {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by method and status code ("error": no answer)',
    labelNames: ['code', 'method'] as const,
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the answer of the API server, by method',
    labelNames: ['method'] as const,
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    registers: [registry],
  });
  return (method, status, durationMs) => {
    requests.inc({ method, code: String(status) });
    duration.observe({ method }, durationMs / 1000);
  };
});
