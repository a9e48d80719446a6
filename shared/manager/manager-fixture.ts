import { Registry } from 'prom-client';
import { leases } from '../kube/resources.ts';
import { holderOf, type Lease } from '../lease/lease.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import { Manager } from './manager.ts';
import type { ManagerOptions } from './manager-options.ts';
import type { Runnable, Stage } from './runnable.ts';

export const lease = { namespace: 'default', name: 'operator' };

/** A manager on virtual time, and what becomes of it. */
export function fixture(options: Partial<ManagerOptions> = {}) {
  const clock = new FakeClock();
  const api = new MemoryApi(clock);
  const registry = new Registry();
  const stop = new AbortController();
  const log: string[] = [];
  const manager = new Manager({ client: api, clock, logger: silentLogger, registry, ...options });
  /** Notes when it begins and ends, each time with what the stages above have done. */
  const noting = (stage: Stage, more: Partial<Runnable> = {}): Runnable => ({
    name: stage,
    stage,
    run: async (signal) => {
      log.push(`${stage} begins`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await clock.sleep(10);
      log.push(`${stage} ends`);
    },
    ...more,
  });
  const start = () => {
    const result: { ended: boolean; error?: unknown } = { ended: false };
    const ending = manager.start(stop.signal).then(
      () => (result.ended = true),
      (error: unknown) => Object.assign(result, { ended: true, error }),
    );
    return { result, ending };
  };
  const holder = () => holderOf(api.peek<Lease>(leases, lease) ?? { metadata: { name: '' } });
  return { clock, api, registry, stop, log, manager, noting, start, holder };
}

export const elected = { leaderElection: { ...lease, identity: 'me' } };
