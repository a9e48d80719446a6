import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { admissionOutcomes } from '../webhook/admission.ts';
import type { WebhookObserver } from '../webhook/answer-review.ts';

export interface WebhookMetrics extends WebhookObserver {
  /** The webhook serves with a certificate that is valid until then. */
  certificateExpires(at: Date): void;
  /** The ring is gone: its figures, too. */
  forget(ring: string): void;
}

/** Of requests that name no ring there is: whoever calls could name any. */
const unknown = 'unknown';

/** Counts and times the webhook's answers. */
export function webhookMetrics(registry: Registry, isRing: (name: string) => boolean): WebhookMetrics {
  const answers = new Counter({
    name: 'controller_sharding_webhook_requests_total',
    help: 'Admission requests answered, by outcome; all of them are allowed',
    labelNames: ['controllerring', 'outcome'] as const,
    registers: [registry],
  });
  const time = new Histogram({
    name: 'controller_sharding_webhook_duration_seconds',
    help: 'Time from the arrival of an admission request to its answer',
    labelNames: ['controllerring'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers: [registry],
  });
  const expiry = new Gauge({
    name: 'controller_sharding_webhook_certificate_expiry_timestamp_seconds',
    help: "End of the validity of the webhook's certificate",
    registers: [registry],
  });
  return {
    answered(ring, outcome, durationMs) {
      const controllerring = isRing(ring) ? ring : unknown;
      answers.inc({ controllerring, outcome });
      time.observe({ controllerring }, durationMs / 1000);
    },
    certificateExpires: (at) => expiry.set(at.getTime() / 1000),
    forget(controllerring) {
      for (const outcome of admissionOutcomes) answers.remove({ controllerring, outcome });
      time.remove({ controllerring });
    },
  };
}
