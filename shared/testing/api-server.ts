import type { DeleteOptions, Patch } from '../kube/api-client.ts';
import { apiVersionOf, type KubeObject, type ObjectRef, type Resource } from '../kube/types.ts';
import type { Clock } from '../runtime/clock.ts';
import { Admission, type AdmissionOperation } from './admission.ts';
import { emptyContent } from './built-in-forms.ts';
import { isFinished, markedForDeletion } from './deletion.ts';
import { jsonEquals } from './json.ts';
import { NamespaceLifecycle } from './namespace-lifecycle.ts';
import { normalized, type Subresource, toCreate, toUpdate, validate } from './object-rules.ts';
import { ObjectStore, type StoredObject } from './object-store.ts';
import { patchedBody } from './patched-body.ts';
import { ResourceRegistry, type ServedResource } from './resource-registry.ts';
import { type FieldManager, type FieldOwner, ownersAfterUpdate, sameOwners } from './server-side-apply.ts';
import {
  alreadyExists,
  deletePrecondition,
  internalError,
  methodNotAllowed,
  modified,
  mustSpecifyVersion,
  notFound,
  notServed,
  wrongUid,
} from './status-errors.ts';
import { SystemFieldSource } from './system-fields.ts';

/** Who makes a request. */
export interface Caller {
  user: string;
  groups: string[];
  /** Owner of the fields that it changes, except in an apply, which names its own. */
  fieldManager: string;
}

/** A write that was prepared on a state of its object. */
interface Draft {
  object: KubeObject;
  owners: readonly FieldOwner[];
}

/** So often a write without a resourceVersion is tried, when its object changes meanwhile. */
const maxTries = 5;

/** Reads and writes as the API server does them. Objects that it returns are the store's own: to be copied, not changed. */
export class ApiServer {
  readonly resources = new ResourceRegistry();
  readonly store: ObjectStore;
  readonly admission: Admission;
  readonly #clock: Clock;
  readonly #namespaces: NamespaceLifecycle;
  readonly #systemFields: SystemFieldSource;

  constructor(clock: Clock, options: { historyLimit: number; checkNamespaces: boolean }) {
    this.#clock = clock;
    this.store = new ObjectStore(clock, options.historyLimit);
    this.#systemFields = new SystemFieldSource(clock);
    this.#namespaces = new NamespaceLifecycle(this.store, options.checkNamespaces);
    this.admission = new Admission(clock, (name) => this.#namespaces.labels(name));
  }

  get(resource: Resource, ref: ObjectRef): KubeObject {
    return this.#stored(this.#served(resource, ref), ref).object;
  }

  async create(resource: Resource, body: KubeObject, caller: Caller): Promise<KubeObject> {
    const served = this.resources.served(resource);
    const object = normalized(served, body);
    if (!served.namespaced) delete object.metadata.namespace;
    else if (!object.metadata.namespace) throw methodNotAllowed();
    if (object.metadata.resourceVersion) {
      throw internalError('resourceVersion should not be set on objects to be created');
    }
    return this.#create(served, object, [], caller);
  }

  async update(
    resource: Resource,
    body: KubeObject,
    caller: Caller,
    subresource: Subresource = '',
  ): Promise<KubeObject> {
    const served = this.#served(resource, body.metadata, subresource);
    const object = normalized(served, body);
    const { name, uid, resourceVersion } = object.metadata;
    if (!name) throw methodNotAllowed();
    for (let tries = 1; ; tries += 1) {
      const present = this.store.get(served, object.metadata);
      if (!present && served.createOnUpdate && subresource === '') {
        if (uid) throw wrongUid(served, object, '');
        return this.#create(served, object, [], caller);
      }
      if (!present) throw notFound(served, name);
      if (uid && uid !== present.object.metadata.uid) {
        throw wrongUid(served, object, present.object.metadata.uid ?? '');
      }
      if (!resourceVersion && !served.unconditionalUpdate) throw mustSpecifyVersion(served, name);
      const draft = { object, owners: present.owners };
      const written = await this.#update(served, present, draft, caller, subresource);
      if (written) return written;
      if (tries === maxTries) throw modified(served, name);
    }
  }

  async patch(
    resource: Resource,
    ref: ObjectRef,
    patch: Patch,
    caller: Caller,
    subresource: Subresource = '',
  ): Promise<KubeObject> {
    const served = this.#served(resource, ref, subresource);
    for (let tries = 1; ; tries += 1) {
      const present = this.store.get(served, ref);
      const { object, owners } = patchedBody(served, ref, present, patch, subresource);
      if (!present) {
        delete object.metadata.resourceVersion;
        return this.#create(served, object, owners, caller);
      }
      const written = await this.#update(served, present, { object, owners }, caller, subresource);
      if (written) return written;
      if (tries === maxTries) throw modified(served, ref.name);
    }
  }

  /** False when finalizers still hold the object. */
  async delete(resource: Resource, ref: ObjectRef, options: DeleteOptions, caller: Caller): Promise<boolean> {
    const served = this.#served(resource, ref);
    const { object } = this.#stored(served, ref);
    await this.#admit(served, 'DELETE', '', undefined, object, caller);
    return this.deleteNow(resource, ref, options);
  }

  /** As `delete`, at once, without asking webhooks. */
  deleteNow(resource: Resource, ref: ObjectRef, options: DeleteOptions = {}): boolean {
    const served = this.#served(resource, ref);
    const { object, owners } = this.#stored(served, ref);
    const { uid = '', resourceVersion = '' } = object.metadata;
    if (options.uid && options.uid !== uid) {
      throw deletePrecondition(served, ref.name, 'UID', options.uid, uid);
    }
    if (options.resourceVersion && options.resourceVersion !== resourceVersion) {
      const wanted = options.resourceVersion;
      throw deletePrecondition(served, ref.name, 'ResourceVersion', wanted, resourceVersion);
    }
    const now = this.#clock.now();
    const marked =
      markedForDeletion(object, options.propagationPolicy, now) ??
      this.#namespaces.terminating(served, object, now);
    if (!marked) this.store.delete(served, ref);
    else if (!jsonEquals(marked, object))
      this.store.put(served, { ...marked, metadata: { ...marked.metadata } }, owners);
    return marked === undefined;
  }

  /** Creates an object as it is, its status too, without asking webhooks. */
  createNow(resource: Resource, body: KubeObject, manager: string): KubeObject {
    const served = this.resources.served(resource);
    const given = normalized(served, body);
    const { deletionTimestamp } = given.metadata;
    const object = toCreate({ ...served, statusSubresource: false }, given, this.#systemFields.next());
    const created = this.#namespaces.created(served, object);
    if (deletionTimestamp) created.metadata.deletionTimestamp = deletionTimestamp;
    validate(served, created);
    if (this.store.get(served, created.metadata)) throw alreadyExists(served, created.metadata.name);
    const by = this.#manager(served, manager, '');
    const owners = ownersAfterUpdate(emptyContent(served), created, [], by, served.lists);
    return this.store.put(served, created, owners);
  }

  /** Writes an object, its status too, without asking webhooks. */
  updateNow(resource: Resource, body: KubeObject, manager: string): KubeObject {
    const served = this.#served(resource, body.metadata);
    const present = this.#stored(served, body.metadata);
    const main = toUpdate(served, present.object, normalized(served, body), '');
    const { status } = body as KubeObject & { status?: unknown };
    const next = status === undefined ? main : Object.assign(main, { status });
    validate(served, next, present.object);
    return this.#commit(served, present, next, present.owners, this.#manager(served, manager, ''));
  }

  async #create(
    served: ServedResource,
    body: KubeObject,
    owners: readonly FieldOwner[],
    caller: Caller,
  ): Promise<KubeObject> {
    this.#namespaces.check(served, body);
    const admitted = await this.#admit(served, 'CREATE', '', body, undefined, caller);
    const object = toCreate(served, normalized(served, admitted ?? body), this.#systemFields.next());
    const created = this.#namespaces.created(served, object);
    validate(served, created);
    if (this.store.get(served, created.metadata)) throw alreadyExists(served, created.metadata.name);
    const manager = this.#manager(served, caller.fieldManager, '');
    const before = owners.length > 0 ? body : emptyContent(served);
    return this.store.put(served, created, ownersAfterUpdate(before, created, owners, manager, served.lists));
  }

  /** Undefined when the object was changed by somebody else while webhooks were asked. */
  async #update(
    served: ServedResource,
    present: StoredObject,
    draft: Draft,
    caller: Caller,
    subresource: Subresource,
  ): Promise<KubeObject | undefined> {
    const { metadata } = draft.object;
    const { resourceVersion } = metadata;
    if (resourceVersion && resourceVersion !== present.object.metadata.resourceVersion) {
      if (/^\d+$/.test(resourceVersion)) throw modified(served, metadata.name);
      throw internalError(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
    }
    const body = draft.object;
    const admitted = await this.#admit(served, 'UPDATE', subresource, body, present.object, caller);
    if (this.store.get(served, metadata) !== present) return undefined;
    const next = toUpdate(served, present.object, normalized(served, admitted ?? body), subresource);
    validate(served, next, present.object);
    const manager = this.#manager(served, caller.fieldManager, subresource);
    const byApply = draft.owners !== present.owners;
    const before = byApply ? draft.object : present.object;
    const owners = byApply
      ? ownersAfterUpdate(before, next, draft.owners, manager, served.lists)
      : present.owners;
    return this.#commit(served, present, next, owners, byApply ? undefined : manager);
  }

  #commit(
    served: ServedResource,
    present: StoredObject,
    next: KubeObject,
    draftOwners: readonly FieldOwner[],
    manager: FieldManager | undefined,
  ): KubeObject {
    if (isFinished(next)) {
      this.store.delete(served, next.metadata);
      return next;
    }
    const isTracked = manager && present.owners.length > 0; // else all is settled by the first apply
    const owners = isTracked
      ? ownersAfterUpdate(present.object, next, draftOwners, manager, served.lists)
      : draftOwners;
    if (jsonEquals(next, present.object) && sameOwners(owners, present.owners)) return present.object;
    return this.store.put(served, { ...next, metadata: { ...next.metadata } }, owners);
  }

  async #admit(
    resource: ServedResource,
    operation: AdmissionOperation,
    subResource: string,
    object: KubeObject | undefined,
    oldObject: KubeObject | undefined,
    { user, groups }: Caller,
  ): Promise<KubeObject | undefined> {
    const userInfo = { username: user, groups };
    const attributes = { resource, operation, subResource, object, oldObject, userInfo };
    return this.admission.concerns(attributes) ? this.admission.admit(attributes) : object;
  }

  #stored(served: ServedResource, ref: ObjectRef): StoredObject {
    const found = this.store.get(served, ref);
    if (!found) throw notFound(served, ref.name);
    return found;
  }

  /** Throws ApiError 404 where the real one has no such path. */
  #served(resource: Resource, ref: ObjectRef, subresource: Subresource = ''): ServedResource {
    const served = this.resources.served(resource);
    if (served.namespaced && !ref.namespace) throw notServed();
    if (subresource === 'status' && !served.statusSubresource) {
      throw served.builtIn ? notServed() : notFound(served, ref.name);
    }
    return served;
  }

  #manager(served: ServedResource, manager: string, subresource: string): FieldManager {
    return { manager, operation: 'Update', apiVersion: apiVersionOf(served), subresource };
  }
}
