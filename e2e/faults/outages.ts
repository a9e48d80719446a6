import { systemClock } from '@controller-sharding/shared/runtime/clock.ts';
import type { FaultCase } from './fault-case.ts';
import { CaseRun, type FaultWorld } from './fixture.ts';

interface Outage {
  name: string;
  happen: (world: FaultWorld, runs: CaseRun[]) => Promise<void>;
}

const awayMs = 1_500;

/** What happens to the control plane itself, and so to all its clients at once. */
export const outages: Outage[] = [
  {
    name: 'the API server is killed and started again',
    happen: async ({ controlPlane: { apiServer } }) => {
      await apiServer.stop();
      await systemClock.sleep(awayMs);
      await apiServer.start();
    },
  },
  {
    name: 'the API server is asked to end, and started again',
    happen: async ({ controlPlane: { apiServer } }) => {
      await apiServer.stop('SIGTERM');
      await apiServer.start();
    },
  },
  {
    name: 'the API server is killed and started again, and changes come before its clients do',
    happen: async ({ controlPlane: { apiServer } }, runs) => {
      await Promise.all(runs.map((run) => run.proxy.refuse()));
      await apiServer.stop();
      await apiServer.start();
      await Promise.all(runs.map((run) => run.change()));
      await Promise.all(runs.map((run) => run.proxy.accept()));
    },
  },
  {
    name: 'the API server is paused',
    happen: async ({ controlPlane: { apiServer } }) => {
      await apiServer.pause();
      await systemClock.sleep(2 * awayMs);
      await apiServer.resume();
    },
  },
  {
    name: 'etcd is killed and started again',
    happen: async ({ controlPlane: { etcd } }) => {
      await etcd.stop();
      await systemClock.sleep(awayMs);
      await etcd.start();
    },
  },
  {
    name: 'etcd is paused',
    happen: async ({ controlPlane: { etcd } }) => {
      await etcd.pause();
      await systemClock.sleep(awayMs);
      await etcd.resume();
    },
  },
  {
    name: 'etcd and the API server are killed and started again',
    happen: async ({ controlPlane: { apiServer, etcd } }) => {
      await Promise.all([apiServer.stop(), etcd.stop()]);
      await etcd.start();
      await apiServer.start();
    },
  },
];

/** An outage of four seconds is 40 s of backoff for the informer; the API server's own refusals follow it. */
const informers: FaultCase[] = [
  { name: 'by initial watch', most: { 'watch-list': 6, watch: 25 } },
  { name: 'by paged list', paged: true, most: { 'watch-list': 1, list: 8, watch: 25 } },
];

/** Two informers over the outage: one with initial watches, one with paged lists. */
export async function runOutage(world: FaultWorld, { happen }: Outage): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const runs: CaseRun[] = [];
  for (const informer of informers) runs.push(stack.use(await CaseRun.start(world, informer)));
  await Promise.all(runs.map((run) => run.begin()));
  await Promise.all(runs.map((run) => run.change()));
  await happen(world, runs);
  await Promise.all(runs.map((run) => run.change()));
  await Promise.all(runs.map((run) => run.check()));
}
