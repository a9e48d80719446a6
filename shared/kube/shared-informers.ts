import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ApiClient, Form } from './api-client.ts';
import { Informer } from './informer.ts';
import { type KubeObject, type Resource, resourceName } from './types.ts';

/** What an informer lists and watches. The same selection is the same text: `a=1,b=2` isn't `b=2,a=1`. */
export interface Selection<P extends KubeObject, T extends KubeObject = P> {
  resource: Resource;
  form: Form;
  /** Default: all. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** As in InformerOptions; all users of the selection give the same function. */
  project?: ((object: T) => P) | undefined;
}

export interface SharedInformer<P extends KubeObject> {
  informer: Informer<P>;
  /** Ends one use: remove your handlers before. Resolves, after the last one's, when the watch has ended. */
  release(): Promise<void>;
}

export interface SharedInformersOptions {
  client: Pick<ApiClient, 'list' | 'watch'>;
  clock: Clock;
  logger: Logger;
  random?: (() => number) | undefined;
}

interface Entry {
  name: string;
  informer: Informer<KubeObject>;
  project: unknown;
  users: number;
  stop: AbortController;
  running: Promise<void> | undefined;
}

/** One watch and one cache for all users of the same selection, as long as there are any. */
export class SharedInformers {
  readonly #options: SharedInformersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  #signal: AbortSignal | undefined;

  constructor(options: SharedInformersOptions) {
    this.#options = options;
  }

  /** Once. Runs the informers acquired before and after, until the signal is aborted and all have ended. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#signal) throw new Error('the shared informers already run');
    this.#signal = signal;
    for (const entry of this.#entries.values()) this.#start(entry, signal);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await Promise.all(this.#running);
  }

  /**
   * While `run` runs, a new informer starts right after the present synchronous code: there is time to add an index.
   * Throws when the selection is in use with another projection.
   */
  acquire<P extends KubeObject, T extends KubeObject = P>(selection: Selection<P, T>): SharedInformer<P> {
    if (this.#signal?.aborted) throw new Error('the shared informers have ended');
    const { resource, form, namespace, labelSelector, fieldSelector, project } = selection;
    const parts = [resourceName(resource), resource.version, form, namespace, labelSelector, fieldSelector];
    const key = JSON.stringify(parts.map((part) => part ?? ''));
    const entry = this.#entries.get(key) ?? this.#create(key, selection);
    if (entry.project !== project) {
      throw new Error(
        `informer of ${parts.filter(Boolean).join(' ')}: in use with another \`project\`, give the same function`,
      );
    }
    entry.users += 1;
    let released = false;
    return {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what the selection holds
      informer: entry.informer as unknown as Informer<P>,
      release: async () => {
        if (!released) {
          released = true;
          entry.users -= 1;
          if (entry.users === 0) {
            this.#entries.delete(key);
            entry.stop.abort();
          }
        }
        if (entry.users === 0) await entry.running;
      },
    };
  }

  /** All that are acquired now have synced, or were released. Rejects with the signal's reason when it is aborted. */
  async waitForSync(signal: AbortSignal): Promise<void> {
    const waiting = [...this.#entries.values()].map(async ({ informer, stop }) => {
      try {
        await informer.waitForSync(AbortSignal.any([signal, stop.signal]));
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    });
    await Promise.all(waiting);
  }

  /** Resources of those that have not synced yet. */
  get unsynced(): string[] {
    return [...this.#entries.values()].flatMap(({ name, informer }) => (informer.hasSynced ? [] : [name]));
  }

  #create<P extends KubeObject, T extends KubeObject>(key: string, selection: Selection<P, T>): Entry {
    const { logger } = this.#options;
    const informer = new Informer<P, T>({
      ...this.#options,
      ...selection,
      logger: logger.child({ informer: resourceName(selection.resource) }),
    });
    const entry: Entry = {
      name: resourceName(selection.resource),
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each user says what its selection holds
      informer: informer as unknown as Informer<KubeObject>,
      project: selection.project,
      users: 0,
      stop: new AbortController(),
      running: undefined,
    };
    this.#entries.set(key, entry);
    if (this.#signal) this.#start(entry, this.#signal);
    return entry;
  }

  #start(entry: Entry, signal: AbortSignal): void {
    const run = async (): Promise<void> => {
      await Promise.resolve();
      await entry.informer.run(AbortSignal.any([signal, entry.stop.signal]));
    };
    const running = run().finally(() => this.#running.delete(running));
    this.#running.add(running);
    entry.running = running;
  }
}
