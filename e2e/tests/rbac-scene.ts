import type { TestContext } from 'node:test';
import { EventRecorder } from '@controller-sharding/shared/events/event-recorder.ts';
import { KubeClient } from '@controller-sharding/shared/kube/client.ts';
import { loadKubeConfig } from '@controller-sharding/shared/kube/config.ts';
import { events } from '@controller-sharding/shared/kube/resources.ts';
import { Transport } from '@controller-sharding/shared/kube/transport.ts';
import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { silentLogger } from '@controller-sharding/shared/runtime/logger.ts';
import { FakeClock } from '@controller-sharding/shared/testing/fake-clock.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Account, RightsPlane } from './rbac-plane.ts';

/** Of whatever kind. */
export interface AnyObject extends KubeObject {
  spec?: object;
  webhooks?: object[];
}

/** Something that happens, and what comes of it when no right is missing. */
export interface Scenario {
  act(): Promise<unknown>;
  /** Asked again and again. */
  isDone(): Promise<boolean>;
}

/** A program as one ServiceAccount, and what happens to it. */
export interface Scene {
  account: Account;
  /** What happens before all others, from the start of the program on. */
  first: string;
  /** In the order in which they can happen to one process. */
  scenarios: Readonly<Record<string, Scenario>>;
  /** Puts everything back to how it is before the start, and starts the program; it need not come far. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Five minutes pass at once: the recorder is the programs' own, with another clock. */
export function repeatedEvent(t: TestContext, plane: RightsPlane, account: Account): Scenario {
  let times = 0;
  const reason = (): string => `Repeated-${account.name}-${times}`;
  const regarding = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: account.namespace },
  };
  return {
    async act() {
      times += 1;
      const transport = new Transport(loadKubeConfig({ kubeconfig: await plane.kubeconfig(account) }));
      const clock = new FakeClock();
      const client = new KubeClient(transport);
      const stop = new AbortController();
      const recorder = new EventRecorder({
        client,
        clock,
        logger: silentLogger,
        controller: 'test',
        instance: 'a',
      });
      const running = recorder.run(stop.signal);
      t.after(async () => {
        stop.abort();
        await running;
        await transport.close();
      });
      const record = (): void =>
        recorder.record({ regarding, type: 'Warning', reason: reason(), action: 'Test', note: 'a test' });
      record();
      await waitFor('the first Event', async () => {
        await clock.advance(1_000);
        return (await written(plane, reason())).length > 0;
      });
      await clock.advance(300_000);
      record();
      await clock.advance(1_000);
    },
    isDone: async () => (await written(plane, reason())).some(({ series }) => series !== undefined),
  };
}

interface Written extends KubeObject {
  reason?: string;
  series?: object;
  regarding?: { name?: string; uid?: string };
}

/** The Events with this reason. */
export async function written(plane: RightsPlane, reason: string): Promise<Written[]> {
  const { items } = await plane.client.listPage<Written>(events, 'full', {});
  return items.filter((event) => event.reason === reason);
}

/** Undefined when there is none. */
export const orNone = <T>(reading: Promise<T>): Promise<T | undefined> => reading.catch(() => undefined);
