/* oxlint-disable typescript/no-unsafe-type-assertion -- callers say what they ask for, as with the real API */
import { type KubeObject, type ObjectRef, objectKey, type Resource, resourceName } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import { ApiFaults, type ApiRequest, connectionError, type Fault } from './api-faults.ts';
import { MemoryObjects } from './memory-objects.ts';
import { MemoryWatches } from './memory-watches.ts';

/** What a test does to an API server in memory, and sees of it, beside the requests of what it tests. */
export class MemoryWorld {
  /** Every request that was made, the latest last. */
  readonly requests: ApiRequest[] = [];
  protected readonly faults: ApiFaults;
  protected readonly watches: MemoryWatches;
  protected readonly objects: MemoryObjects;

  constructor(clock: Clock) {
    this.faults = new ApiFaults(clock);
    this.objects = new MemoryObjects(() => this.watches.wake());
    this.watches = new MemoryWatches(clock, this.objects);
  }

  /** Requests that write, of these verbs, or of all. */
  writes(...verbs: Array<ApiRequest['verb']>): ApiRequest[] {
    const writing = verbs.length > 0 ? verbs : ['create', 'update', 'patch', 'delete'];
    return this.requests.filter(({ verb }) => writing.includes(verb));
  }

  fault(fault: Fault): () => void {
    return this.faults.add(fault);
  }

  /** No request arrives and every watch breaks, until it is up again. */
  goDown(error: Error = connectionError()): void {
    this.faults.down = error;
    this.watches.end(error);
  }

  comeUp(): void {
    this.faults.down = undefined;
  }

  breakWatches(error: Error = connectionError()): void {
    this.watches.end(error);
  }

  /** Watches of the resource get nothing until they are let go on. */
  holdWatches(resource: Resource): void {
    this.watches.held.add(resourceName(resource));
  }

  letWatchesGoOn(resource: Resource): void {
    this.watches.held.delete(resourceName(resource));
    this.watches.wake();
  }

  bookmark(): void {
    this.watches.bookmark();
  }

  /** An object as it is now; not a request. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `get`
  peek<T extends KubeObject>(resource: Resource, ref: ObjectRef): T | undefined {
    const found = this.objects.list(resource).find((object) => objectKey(object.metadata) === objectKey(ref));
    return found && (structuredClone(found) as T);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as `list`
  all<T extends KubeObject>(resource: Resource): T[] {
    return structuredClone(this.objects.list(resource)) as T[];
  }

  /** Somebody else creates an object; not a request. */
  seed<T extends KubeObject>(resource: Resource, object: T): T {
    return structuredClone(this.objects.create(resource, structuredClone(object))) as T;
  }

  /** Somebody else changes an object; not a request. */
  change<T extends KubeObject>(resource: Resource, ref: ObjectRef, edit: (object: T) => void): T {
    const object = structuredClone(this.objects.get(resource, ref)) as T;
    edit(object);
    return structuredClone(this.objects.replace(resource, object)) as T;
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

  /** Somebody else deletes an object; not a request. */
  remove(resource: Resource, ref: ObjectRef): void {
    this.objects.remove(resource, ref);
  }
}
