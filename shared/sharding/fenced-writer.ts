import type { ApiClient, Patch, RequestOptions } from '../kube/api-client.ts';
import { isFateUnknown } from '../kube/errors.ts';
import {
  controllerOf,
  type KubeObject,
  type ObjectRef,
  objectKey,
  type PartialObject,
  type Resource,
  refersTo,
  resourceName,
  type TypedResource,
} from '../kube/types.ts';
import { FencedError, type WriteFence } from '../lease/write-fence.ts';
import type { Clock } from '../runtime/clock.ts';
import { shardLabel } from './contract.ts';
import { labelPatch } from './label-patch.ts';
import type { ShardObserver } from './shard-event.ts';

/** How far the API server may be late in ending a request at its deadline. */
const serverGraceMs = 500;

export interface FencedWriterOptions {
  client: ApiClient;
  clock: Clock;
  fence: Pick<WriteFence, 'permit'>;
  ring: string;
  shard: string;
  observer: ShardObserver;
  /** Whether that uid is the owner's, or that of an object that it controls, at any depth. */
  includes(owner: PartialObject, uid: string): boolean;
  /** Whether an object of the resource, once the owner controls it, is given the shard's label. */
  follows(resource: Resource): boolean;
  /** Told about every object that was created for an owner. */
  created(owner: PartialObject, resource: Resource, object: KubeObject): void;
  /** Told when it is not known whether an object was created for an owner. */
  perhapsCreated(owner: PartialObject): void;
}

/** Writes on behalf of one main object. Every method throws FencedError once the shard's Lease is no longer sure. */
export interface OwnerWriter {
  /** An object controlled by the owner, or by what it controls, gets the shard label from the start. */
  create<T extends KubeObject>(resource: TypedResource<T>, object: T): Promise<T>;
  /**
   * Replaces the version that was read; one that the owner adopts by it gets the shard label, and the owner itself keeps
   * it. Throws TypeError when the object has no resourceVersion: a write that the network delivers late is refused by it
   * alone.
   */
  update<T extends KubeObject>(resource: TypedResource<T>, object: T): Promise<T>;
  /** Throws TypeError when the object has no resourceVersion. */
  updateStatus<T extends KubeObject>(resource: TypedResource<T>, object: T): Promise<T>;
  /** An object that the owner adopts by it gets the shard label by a second patch; by `apply`, at once. */
  patch<T extends KubeObject>(resource: TypedResource<T>, ref: ObjectRef, patch: Patch): Promise<T>;
  patchStatus<T extends KubeObject>(resource: TypedResource<T>, ref: ObjectRef, patch: Patch): Promise<T>;
  delete(resource: Resource, ref: ObjectRef, preconditions: { uid: string }): Promise<void>;
}

type Send<T> = (options: RequestOptions) => Promise<T>;

/**
 * The shard's only way to write. A write starts only while the fence permits it, and its promise settles only when
 * the request has ended at the API server, too: one that timed out is held until its server-side deadline has passed.
 * So an object whose promises have settled has nothing under way, and can be handed over.
 */
export class FencedWriter {
  readonly #options: FencedWriterOptions;
  readonly #underway = new Map<string, number>();
  readonly #idle = new Map<string, Array<() => void>>();

  constructor(options: FencedWriterOptions) {
    this.#options = options;
  }

  /** A writer for the objects of `owner`, until `ended` says that the reconcile it was given to is over. */
  for(owner: PartialObject, ended: () => boolean = () => false): OwnerWriter {
    const { client } = this.#options;
    const write = <T extends KubeObject | void>(
      verb: string,
      resource: Resource,
      ref: ObjectRef,
      send: Send<T>,
    ): Promise<T> => this.#write(owner, ended, { verb, resource, ref }, send);
    return {
      create: (resource, object) => {
        const body = this.#labelled(object, owner);
        return this.#creating(owner, resource, () =>
          write('create', resource, object.metadata, (options) => client.create(resource, body, options)),
        );
      },
      update: async (resource, object) => {
        if (!object.metadata.resourceVersion) throw unconditional(resource, object);
        const follows = this.#options.follows(resource);
        const body = this.#kept(resource, follows ? this.#labelled(object, owner) : object, owner);
        const send = () =>
          write('update', resource, body.metadata, (options) => client.update(resource, body, options));
        return follows ? this.#creating(owner, resource, send) : send();
      },
      updateStatus: async (resource, object) => {
        if (!object.metadata.resourceVersion) throw unconditional(resource, object);
        return write('update', resource, object.metadata, (options) =>
          client.updateStatus(resource, object, options),
        );
      },
      patch: async <T extends KubeObject>(resource: Resource, ref: ObjectRef, patch: Patch): Promise<T> => {
        const send = (next: Patch) =>
          write('patch', resource, ref, (options) => client.patch<T>(resource, ref, next, options));
        if (patch.type === 'apply') {
          const labelled = { ...patch, body: this.#labelled(patch.body, owner) };
          return this.#creating(owner, resource, () => send(labelled));
        }
        const written = await send(patch);
        const label = this.#adopted(resource, written, owner);
        return label === undefined ? written : this.#creating(owner, resource, () => send(label));
      },
      patchStatus: (resource, ref, patch) =>
        write('patch', resource, ref, (options) => client.patchStatus(resource, ref, patch, options)),
      delete: (resource, ref, preconditions) =>
        write('delete', resource, ref, (options) =>
          client.delete(resource, ref, { ...options, ...preconditions }),
        ),
    };
  }

  /** Changes only an object's labels: the hand-over's writes. Not told to the observer as a write of a reconcile. */
  relabel(resource: Resource, ref: ObjectRef, patch: Patch): Promise<PartialObject> {
    return this.#bounded((options) => this.#options.client.patchMetadata(resource, ref, patch, options));
  }

  /** Resolves when no write for the owner is under way, also none whose promise the author dropped. */
  async idle(ownerUid: string): Promise<void> {
    while (this.#underway.has(ownerUid)) {
      await new Promise<void>((resolve) => {
        const waiting = this.#idle.get(ownerUid);
        if (waiting) waiting.push(resolve);
        else this.#idle.set(ownerUid, [resolve]);
      });
    }
  }

  async #creating<T extends KubeObject>(
    owner: PartialObject,
    resource: Resource,
    create: () => Promise<T>,
  ): Promise<T> {
    try {
      const written = await create();
      this.#options.created(owner, resource, written);
      return written;
    } catch (error) {
      if (isFateUnknown(error)) this.#options.perhapsCreated(owner);
      throw error;
    }
  }

  async #write<T extends KubeObject | void>(
    owner: PartialObject,
    ended: () => boolean,
    { verb, resource, ref }: { verb: string; resource: Resource; ref: ObjectRef },
    send: Send<T>,
  ): Promise<T> {
    if (ended()) throw new FencedError('not written: the reconcile that it belongs to has ended');
    const uid = owner.metadata.uid ?? '';
    const about = { verb, resource: resourceName(resource), object: objectKey(ref), owner: uid };
    const { observer } = this.#options;
    let begun = false;
    this.#underway.set(uid, (this.#underway.get(uid) ?? 0) + 1);
    try {
      const result = await this.#bounded(send, () => {
        begun = true;
        observer({ event: 'write-begin', ...about });
      });
      observer({ event: 'write-end', ...about, resourceVersion: result?.metadata.resourceVersion });
      return result;
    } catch (error) {
      if (begun) observer({ event: 'write-end', ...about, error: String(error) });
      throw error;
    } finally {
      this.#ended(uid);
    }
  }

  async #bounded<T>(send: Send<T>, begin?: () => void): Promise<T> {
    const { clock, fence } = this.#options;
    const timeoutMs = fence.permit();
    begin?.();
    const sentAt = clock.monotonic();
    try {
      return await send({ timeoutMs });
    } catch (error) {
      if (isFateUnknown(error)) {
        await clock.sleep(Math.max(0, sentAt + timeoutMs + serverGraceMs - clock.monotonic()));
      }
      throw error;
    }
  }

  #ended(uid: string): void {
    const left = (this.#underway.get(uid) ?? 1) - 1;
    if (left > 0) {
      this.#underway.set(uid, left);
      return;
    }
    this.#underway.delete(uid);
    const waiting = this.#idle.get(uid) ?? [];
    this.#idle.delete(uid);
    for (const resolve of waiting) resolve();
  }

  #labelled<T extends KubeObject>(object: T, owner: PartialObject): T {
    const { ring, shard, includes } = this.#options;
    const controller = controllerOf(object)?.uid;
    if (controller === undefined || !includes(owner, controller)) return object;
    return withLabel(object, shardLabel(ring), shard);
  }

  /** An author who leaves the labels out doesn't mean to take the owner off its shard. */
  #kept<T extends KubeObject>(
    resource: Resource,
    object: T,
    { apiVersion = '', kind = '', metadata }: PartialObject,
  ): T {
    const { ring, shard } = this.#options;
    const isOwner =
      refersTo({ apiVersion, kind }, resource) && objectKey(object.metadata) === objectKey(metadata);
    return isOwner ? withLabel(object, shardLabel(ring), shard) : object;
  }

  /** The patch that gives an object to this shard if the owner controls it by now, and it has another label. */
  #adopted(resource: Resource, object: KubeObject, owner: PartialObject): Patch | undefined {
    const { ring, shard, follows } = this.#options;
    if (!follows(resource) || object.metadata.labels?.[shardLabel(ring)] === shard) return undefined;
    if (this.#labelled(object, owner) === object) return undefined;
    return labelPatch(object, { [shardLabel(ring)]: shard }, { controllerUid: true });
  }
}

const withLabel = <T extends KubeObject>(object: T, label: string, value: string): T => ({
  ...object,
  metadata: { ...object.metadata, labels: { ...object.metadata.labels, [label]: value } },
});

export const unconditional = (resource: Resource, { metadata }: KubeObject): TypeError =>
  new TypeError(
    `${resourceName(resource)} ${objectKey(metadata)} can't be updated without a resourceVersion: send the object that was read, with its changes, or a patch`,
  );
