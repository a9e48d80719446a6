import { Counter, Gauge } from 'prom-client';
import { oncePerRegistry } from './registry.ts';

/** What one candidate tells of itself. */
export interface LeaderElectionObserver {
  leading(isLeader: boolean): void;
  /** The Lease had been changed by somebody else: it had to be read before it could be renewed. */
  slowPath(): void;
}

export interface LeaderElectionMetrics {
  /** An observer for the Lease of that name; its series exist at once. */
  observe(lease: string): LeaderElectionObserver;
}

/** The `leader_election_*` metrics under client-go's names. */
export const leaderElectionMetrics = oncePerRegistry((registry): LeaderElectionMetrics => {
  const common = { labelNames: ['name'] as const, registers: [registry] };
  const status = new Gauge({
    ...common,
    name: 'leader_election_master_status',
    help: 'Whether this process leads: 1, or waits: 0',
  });
  const slowPath = new Counter({
    ...common,
    name: 'leader_election_slowpath_total',
    help: 'Renewals for which the Lease had to be read first, because somebody else had changed it',
  });
  return {
    observe(name) {
      status.set({ name }, 0);
      slowPath.inc({ name }, 0);
      return {
        leading: (isLeader) => status.set({ name }, isLeader ? 1 : 0),
        slowPath: () => slowPath.inc({ name }),
      };
    },
  };
});
