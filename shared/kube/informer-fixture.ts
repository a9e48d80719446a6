import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { TransportError } from './errors.ts';
import { FakeApi } from './fake-api.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { configMaps } from './resources.ts';
import { until } from './test-server.ts';
import type { KubeObject } from './types.ts';

export interface Fixture {
  api: FakeApi;
  clock: FakeClock;
  informer: Informer<KubeObject>;
  /** What the handlers were told: `added a 101`. */
  told: string[];
  health: string[];
  /** What handlers threw. */
  failures: unknown[];
  run(): Promise<void>;
  stop(): Promise<void>;
}

/** For tests: an informer over a FakeApi, on virtual time; stopped after the test. */
export function fixture(
  t: { after(cleanup: () => Promise<void>): void },
  options: Partial<InformerOptions<KubeObject>> = {},
  api = new FakeApi(),
): Fixture {
  const clock = new FakeClock();
  const told: string[] = [];
  const health: string[] = [];
  const failures: unknown[] = [];
  const logger = Object.assign(Object.create(silentLogger), {
    error: ({ err }: { err: unknown }) => failures.push(err),
  });
  const informer = new Informer<KubeObject>({
    client: api,
    resource: configMaps,
    form: 'metadata',
    clock,
    random: () => 1,
    logger,
    health: {
      connected: () => health.push('connected'),
      progress: () => health.push('progress'),
      disconnected: (error) => health.push(`disconnected: ${String(error)}`),
    },
    ...options,
  });
  const say = (what: string, { metadata }: KubeObject): number =>
    told.push(`${what} ${metadata.name} ${metadata.resourceVersion}`);
  informer.addHandler({
    added: (object) => say('added', object),
    updated: (_, object) => say('updated', object),
    deleted: (object) => say('deleted', object),
  });
  const controller = new AbortController();
  let running: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  t.after(stop);
  return {
    api,
    clock,
    informer,
    told,
    health,
    failures,
    async run() {
      running = informer.run(controller.signal);
      await informer.waitForSync(controller.signal);
      await until(() => api.watchers === 1);
    },
    stop,
  };
}

export const reset = new TransportError('KUBE_CONNECTION', 'connection reset');
