import { Counter, Gauge, Histogram } from 'prom-client';
import type { Result } from '../controller/outcome.ts';
import type { QueueObserver } from '../queue/work-queue.ts';
import type { Clock } from '../runtime/clock.ts';
import { oncePerRegistry } from './registry.ts';
import { workqueueMetrics } from './workqueue.ts';

/** controller-runtime's words for how a reconcile ended. A conflict is no error: it is expected, and tried again. */
const results = {
  done: 'success',
  later: 'requeue_after',
  conflict: 'requeue',
  failed: 'error',
  panic: 'error',
  terminal: 'error',
  timeout: 'error',
} as const satisfies Record<Result['kind'], string>;

/** controller-runtime's buckets, in seconds. */
const timeBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** What one controller tells of itself. */
export interface ControllerObserver {
  readonly queue: QueueObserver<string>;
  activeWorkers(count: number): void;
  reconciled(result: Result['kind'], durationMs: number): void;
}

export interface ControllerMetrics {
  /** An observer for the controller of that name; its series exist at once. */
  observe(controller: string, clock: Clock, concurrency: number): ControllerObserver;
}

/** The `controller_runtime_*` metrics under controller-runtime's names, and each controller's `workqueue_*`. */
export const controllerMetrics = oncePerRegistry((registry): ControllerMetrics => {
  const common = { labelNames: ['controller'] as const, registers: [registry] };
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles by result',
    labelNames: ['controller', 'result'] as const,
    registers: [registry],
  });
  const errors = new Counter({
    ...common,
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that failed',
  });
  const terminal = new Counter({
    ...common,
    name: 'controller_runtime_terminal_reconcile_errors_total',
    help: 'Reconciles that failed and are not tried again',
  });
  const panics = new Counter({
    ...common,
    name: 'controller_runtime_reconcile_panics_total',
    help: 'Reconciles that failed because of a fault of the program',
  });
  const timeouts = new Counter({
    ...common,
    name: 'controller_runtime_reconcile_timeouts_total',
    help: 'Reconciles that did not end before their deadline',
  });
  const time = new Histogram({
    ...common,
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Time that a reconcile takes',
    buckets: timeBuckets,
  });
  const active = new Gauge({
    ...common,
    name: 'controller_runtime_active_workers',
    help: 'Reconciles in flight',
  });
  const most = new Gauge({
    ...common,
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Reconciles in flight at most',
  });

  return {
    observe(controller, clock, concurrency) {
      const labels = { controller };
      for (const result of Object.values(results)) total.inc({ controller, result }, 0);
      for (const counter of [errors, terminal, panics, timeouts]) counter.inc(labels, 0);
      most.set(labels, concurrency);
      time.zero(labels);
      active.set(labels, 0);
      return {
        queue: workqueueMetrics(registry).observe(controller, clock),
        activeWorkers(count) {
          active.set(labels, count);
        },
        reconciled(result, durationMs) {
          total.inc({ controller, result: results[result] });
          if (results[result] === 'error') errors.inc(labels);
          if (result === 'terminal') terminal.inc(labels);
          if (result === 'panic') panics.inc(labels);
          if (result === 'timeout') timeouts.inc(labels);
          time.observe(labels, durationMs / 1000);
        },
      };
    },
  };
});
