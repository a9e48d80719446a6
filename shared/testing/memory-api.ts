/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import type { RestMapper } from '../kube/api-client.ts';
import { namespaces } from '../kube/resources.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { MutatingWebhook } from './admission.ts';
import { ApiFaults, type ApiRequest, connectionError, type Fault } from './api-faults.ts';
import { ApiServer } from './api-server.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { cloneJson } from './json.ts';
import { ListPages } from './list-pages.ts';
import { type ClientOptions, MemoryClient, type ServerParts } from './memory-client.ts';
import { MemoryWatches } from './memory-watches.ts';
import type { CustomResource } from './resource-registry.ts';
import type { WatchInfo } from './watcher.ts';

export interface MemoryApiOptions {
  /** Custom resources that it serves, beside the built-in kinds. */
  resources?: CustomResource[] | undefined;
  /**
   * Objects are only created in namespaces that exist; `default`, `kube-system`, `kube-public` and `kube-node-lease` do.
   * Default false: any namespace will do.
   */
  checkNamespaces?: boolean | undefined;
  /** So long after a change the garbage collector acts on it. Default: there is none, as without a controller manager. */
  garbageCollectionMs?: number | undefined;
  /** How many changes of a resource are remembered for watches. Default 10,000. */
  historyLimit?: number | undefined;
}

/** Field manager of what a test does to objects beside requests. */
const somebody = 'somebody-else';

/**
 * For tests: an API server in memory, with the semantics that controllers depend on, on the time of its clock. It is a
 * client of itself; `client` gives others. The methods beside those of a client are what a test does to the world, and
 * sees of it.
 *
 * It has no defaults or validation for the content of built-in kinds, no schemas of custom ones, and no authorization.
 */
export class MemoryApi extends MemoryClient {
  /** Every request that was made, the latest last. */
  readonly requests: ApiRequest[];
  readonly #parts: ServerParts;

  constructor(clock: Clock, options: MemoryApiOptions = {}) {
    const { checkNamespaces = false, historyLimit = 10_000, garbageCollectionMs, resources = [] } = options;
    const server = new ApiServer(clock, { checkNamespaces, historyLimit });
    const parts: ServerParts = {
      clock,
      server,
      pages: new ListPages(server.store),
      watches: new MemoryWatches(clock, server.store),
      faults: new ApiFaults(clock),
      requests: [],
    };
    super(parts);
    this.#parts = parts;
    this.requests = parts.requests;
    for (const resource of resources) this.register(resource);
    if (checkNamespaces) {
      for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
        this.seed(namespaces, { metadata: { name } });
      }
    }
    if (garbageCollectionMs !== undefined) new GarbageCollector(clock, server, garbageCollectionMs).start();
  }

  /** Finds what is served. */
  get mapper(): RestMapper {
    return this.#parts.server.resources;
  }

  /** Somebody else with the same server. */
  client(options: ClientOptions): MemoryClient {
    return new MemoryClient(this.#parts, options);
  }

  register(resource: CustomResource): void {
    this.#parts.server.resources.register(resource);
  }

  /** Returns what removes it. */
  mutatingWebhook(webhook: MutatingWebhook): () => void {
    return this.#parts.server.admission.add(webhook);
  }

  /** Requests that write, of these verbs, or of all. */
  writes(...verbs: Array<ApiRequest['verb']>): ApiRequest[] {
    const writing = verbs.length > 0 ? verbs : ['create', 'update', 'patch', 'delete'];
    return this.requests.filter(({ verb }) => writing.includes(verb));
  }

  /** Returns what removes it. */
  fault(fault: Fault): () => void {
    return this.#parts.faults.add(fault);
  }

  /** No request arrives and every watch breaks, until it is up again. */
  goDown(error: Error = connectionError()): void {
    this.#parts.faults.down = error;
    this.breakWatches(error);
  }

  comeUp(): void {
    this.#parts.faults.down = undefined;
  }

  /** The watches that are open now. */
  get watches(): WatchInfo[] {
    return this.#parts.watches.open;
  }

  /** Watches throw; what they have not delivered is lost to them. */
  breakWatches(error: Error = connectionError(), which: (watch: WatchInfo) => boolean = () => true): void {
    this.#parts.watches.end(error, which);
  }

  /** The server ends watches in good order. */
  endWatches(which: (watch: WatchInfo) => boolean = () => true): void {
    this.#parts.watches.end(undefined, which);
  }

  /** Watches of the resource get nothing until they are let go on. */
  holdWatches(resource: Resource): void {
    this.#parts.watches.hold(resource);
  }

  letWatchesGoOn(resource: Resource): void {
    this.#parts.watches.letGoOn(resource);
  }

  /**
   * Events reach a watch so much later; asked for each event, so that watches come out of step with each other. Events
   * of one watch stay in order. Returns what removes it.
   */
  delayWatches(delayMs: (watch: WatchInfo) => number): () => void {
    return this.#parts.watches.delay(delayMs);
  }

  /** Each watch gets a bookmark. */
  bookmark(): void {
    this.#parts.watches.bookmark();
  }

  /** Whether watches that ask for the present objects first are refused (422), as by older servers. Default false. */
  set refusesWatchList(refuses: boolean) {
    this.#parts.watches.refuseWatchList = refuses;
  }

  /** Forgets the history: no watch can begin before now, and lists under way can't go on (410). */
  compact(): void {
    this.#parts.server.store.compact();
    this.#parts.pages.expire();
  }

  /** The version of the latest write. */
  get resourceVersion(): string {
    return String(this.#parts.server.store.version);
  }

  /** An object as it is now; not a request. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `get`
  peek<T extends KubeObject>(resource: Resource, ref: ObjectRef): T | undefined {
    const stored = this.#parts.server.store.get(resource, ref);
    return stored && (cloneJson(stored.object) as T);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `list`
  all<T extends KubeObject>(resource: Resource): T[] {
    return cloneJson(this.#parts.server.store.list(resource)) as T[];
  }

  /** Somebody else creates an object, with the status that it has; not a request, and no webhook is asked. */
  seed<T extends KubeObject>(resource: Resource, object: T): T {
    return cloneJson(this.#parts.server.createNow(resource, object, somebody)) as T;
  }

  /** Somebody else changes an object, or its status; not a request, and no webhook is asked. */
  change<T extends KubeObject>(resource: Resource, ref: ObjectRef, edit: (object: T) => void): T {
    const { server } = this.#parts;
    const object = cloneJson(server.get(resource, ref)) as T;
    edit(object);
    return cloneJson(server.updateNow(resource, object, somebody)) as T;
  }

  /** Somebody else sets labels (undefined: removes them); not a request. */
  label(resource: Resource, ref: ObjectRef, labels: Record<string, string | undefined>): void {
    this.change(resource, ref, ({ metadata }) => {
      const merged = Object.entries({ ...metadata.labels, ...labels }).filter(
        ([, value]) => value !== undefined,
      );
      metadata.labels = Object.fromEntries(merged) as Record<string, string>;
    });
  }

  /** Somebody else deletes an object, in the background; not a request. Finalizers hold it. */
  remove(resource: Resource, ref: ObjectRef): void {
    this.#parts.server.deleteNow(resource, ref);
  }
}
