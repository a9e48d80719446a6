import { Counter, Histogram, type Registry } from 'prom-client';
import type { WebhookObserver } from '../webhook/webhook-server.ts';

/** Counts and times the webhook's answers. */
export function webhookMetrics(registry: Registry): WebhookObserver {
  const answers = new Counter({
    name: 'controller_sharding_webhook_requests_total',
    help: 'Admission requests answered, by outcome; all of them are allowed',
    labelNames: ['controllerring', 'outcome'] as const,
    registers: [registry],
  });
  const time = new Histogram({
    name: 'controller_sharding_webhook_duration_seconds',
    help: 'Time from the arrival of an admission request to its answer',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers: [registry],
  });
  return {
    answered(controllerring, outcome, durationMs) {
      answers.inc({ controllerring, outcome });
      time.observe(durationMs / 1000);
    },
  };
}
