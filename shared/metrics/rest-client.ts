import { Counter, Histogram } from 'prom-client';
import { oncePerRegistry } from './registry.ts';

/** What a Transport tells of its requests; see `TransportMetrics`. */
export interface RestClientMetrics {
  onRequest(method: string, status: number | 'error', durationMs: number): void;
  onRetry(method: string, status: number): void;
  onThrottled(method: string, waitedMs: number): void;
}

/** client-go's. */
const buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/**
 * Counts and times the requests to the API server, under client-go's names and labels (without `host`: there is one).
 * As there, a request that is sent again counts once for each answer, and is timed as a whole.
 */
export const restClientMetrics = oncePerRegistry((registry): RestClientMetrics => {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by method and status code (<error>: no answer)',
    labelNames: ['code', 'method'] as const,
    registers: [registry],
  });
  const retries = new Counter({
    name: 'rest_client_request_retries_total',
    help: 'Requests sent again, by method and by the status code that was the reason',
    labelNames: ['code', 'verb'] as const,
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Time until the answer of the API server, waiting and sending again included, by method',
    labelNames: ['verb'] as const,
    buckets,
    registers: [registry],
  });
  const throttled = new Histogram({
    name: 'rest_client_rate_limiter_duration_seconds',
    help: "Time that requests waited for the client's own rate limit, by method",
    labelNames: ['verb'] as const,
    buckets,
    registers: [registry],
  });
  return {
    onRequest(method, status, durationMs) {
      requests.inc({ method, code: status === 'error' ? '<error>' : String(status) });
      duration.observe({ verb: method }, durationMs / 1000);
    },
    onRetry(method, status) {
      requests.inc({ method, code: String(status) });
      retries.inc({ verb: method, code: String(status) });
    },
    onThrottled(method, waitedMs) {
      throttled.observe({ verb: method }, waitedMs / 1000);
    },
  };
});
