import assert from 'node:assert/strict';
import type { Clock } from '../runtime/clock.ts';
import { silentLogger } from '../runtime/logger.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryApi } from '../testing/memory-api.ts';
import type { ApiClient, Form, ListOptions, ListPage, WatchEvent, WatchOptions } from './api-client.ts';
import { TransportError } from './errors.ts';
import { Informer, type InformerOptions } from './informer.ts';
import type { InformerHandler } from './informer-handlers.ts';
import { until } from './test-server.ts';
import { type KubeObject, type Labels, objectKey, type Resource } from './types.ts';

export const widgets: Resource = {
  group: 'example.com',
  version: 'v1',
  resource: 'widgets',
  kind: 'Widget',
  namespaced: false,
};

interface Call {
  verb: 'list' | 'watch';
  resourceVersion: string | undefined;
  sendInitialEvents: boolean;
}

/** For tests: an API server that has widgets, what is asked of it, and in short words what happens to it. */
export class WidgetApi implements Pick<ApiClient, 'list' | 'watch'> {
  readonly calls: Call[] = [];
  pageSize = 2;
  readonly #api: MemoryApi;
  #writes = 0;

  constructor(clock: Clock) {
    this.#api = new MemoryApi(clock, { resources: [widgets] });
  }

  set refusesWatchList(refuses: boolean) {
    this.#api.refusesWatchList = refuses;
  }

  /** Creates or changes. The first of all is version 1001. */
  put(name: string, labels: Labels = {}): void {
    this.#writes += 1;
    const object = { metadata: { name, labels }, spec: { write: this.#writes } };
    const edit = (present: KubeObject): void => {
      Object.assign(present.metadata, { labels });
      Object.assign(present, { spec: object.spec });
    };
    if (this.#api.peek(widgets, { name })) this.#api.change(widgets, { name }, edit);
    else this.#api.seed(widgets, object);
  }

  remove(name: string): void {
    if (this.#api.peek(widgets, { name })) this.#api.remove(widgets, { name });
  }

  /** A watch can no longer begin before now. */
  compact(): void {
    this.#api.compact();
  }

  /** Ends all watches, what they have not delivered yet included: in good order, or with an error. */
  endWatches(error?: Error): void {
    if (error) this.#api.breakWatches(error);
    else this.#api.endWatches();
  }

  /** Watches stay open and bring nothing more, no bookmarks either. */
  hold(): void {
    this.#api.holdWatches(widgets);
  }

  goDown(error: Error): void {
    this.#api.goDown(error);
  }

  comeUp(): void {
    this.#api.comeUp();
  }

  get watchers(): number {
    return this.#api.watches.length;
  }

  async select(labelSelector: string): Promise<KubeObject[]> {
    return (await this.#api.listPage(widgets, 'metadata', { labelSelector })).items;
  }

  list<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options?: ListOptions,
  ): AsyncGenerator<ListPage<T>> {
    this.calls.push({ verb: 'list', resourceVersion: undefined, sendInitialEvents: false });
    return this.#api.list<T>(resource, form, { ...options, limit: this.pageSize });
  }

  watch<T extends KubeObject>(
    resource: Resource,
    form: Form,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    const { resourceVersion, sendInitialEvents = false } = options;
    this.calls.push({ verb: 'watch', resourceVersion, sendInitialEvents });
    return this.#api.watch<T>(resource, form, options);
  }
}

export interface Fixture {
  api: WidgetApi;
  clock: FakeClock;
  informer: Informer<KubeObject>;
  /** What the handlers were told: `added a 1001`. */
  told: string[];
  health: string[];
  /** What handlers threw. */
  failures: unknown[];
  run(): Promise<void>;
  stop(): Promise<void>;
}

/** For tests: follows what an informer tells a handler, and refuses a story that doesn't fit together. */
export class Mirror implements InformerHandler<KubeObject> {
  readonly objects = new Map<string, KubeObject>();

  added(object: KubeObject): void {
    const key = objectKey(object.metadata);
    assert.equal(this.objects.has(key), false, `${key} added twice`);
    this.objects.set(key, object);
  }

  updated(old: KubeObject, now: KubeObject): void {
    const key = objectKey(now.metadata);
    assert.equal(this.objects.get(key), old, `${key} updated from a state that was not the last`);
    assert.equal(old.metadata.uid, now.metadata.uid);
    assert.notEqual(old.metadata.resourceVersion, now.metadata.resourceVersion);
    this.objects.set(key, now);
  }

  deleted(last: KubeObject): void {
    const key = objectKey(last.metadata);
    assert.equal(this.objects.get(key)?.metadata.uid, last.metadata.uid, `${key} deleted unknown`);
    this.objects.delete(key);
  }
}

/** For tests: an informer of widgets, on virtual time; stopped after the test. */
export function fixture(
  t: { after(cleanup: () => Promise<void>): void },
  options: Partial<InformerOptions<KubeObject>> = {},
  clock = new FakeClock(),
): Fixture {
  const api = new WidgetApi(clock);
  const told: string[] = [];
  const health: string[] = [];
  const failures: unknown[] = [];
  const logger = Object.assign(Object.create(silentLogger), {
    error: ({ err }: { err: unknown }) => failures.push(err),
  });
  const informer = new Informer<KubeObject>({
    client: api,
    resource: widgets,
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
