import { configMaps, leases, secrets } from '@controller-sharding/shared/kube/resources.ts';
import { controllerOf, type KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { holderOf, type Lease } from '@controller-sharding/shared/lease/lease.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import type { ShardEvent } from '@controller-sharding/shared/sharding/shard-event.ts';
import type { AdmissionRequest } from '@controller-sharding/shared/testing/admission.ts';
import type { MemoryApi } from '@controller-sharding/shared/testing/memory-api.ts';
import { ring } from '../membership/membership-fixture.ts';

const [assigned, drain] = [shardLabel(ring), drainLabel(ring)];

/** A rule by its name in the formal model. */
type RuleName = 'exclusion' | 'order' | 'let-go' | 'sees-own';

/** User of a shard's process: its name and a number. */
export const shardOfUser = (user: string): string => user.slice(0, user.indexOf('#'));

/**
 * Looks at every write of a label right before it is stored, and at every reconcile as it begins.
 *
 * exclusion: no two processes work on one object, and none on one that was given to another. order: when an owner
 * gets a shard, its controlled objects have that label. let-go: labels of an owner and of what it controls change only
 * by its own shard's answer to a drain, or once that shard's Lease isn't its own. sees-own: a reconcile begins only
 * where the controlled objects carry the label of the shard, too.
 */
export class Rules {
  readonly broken: Array<{ rule: RuleName; what: string }> = [];
  /** Changes of shard labels, as `user: resource/name from>to`. */
  readonly history: string[] = [];
  /** Reconciles that began, as `user name`. */
  readonly begun: string[] = [];
  readonly #api: MemoryApi;
  /** Users that work on an object, by its uid. */
  readonly #working = new Map<string, Set<string>>();

  constructor(api: MemoryApi) {
    this.#api = api;
    api.mutatingWebhook({
      name: 'zz-rules',
      rules: [secrets, configMaps].map((resource) => ({ operations: ['UPDATE'], resource })),
      handle: (request) => {
        this.#written(request);
        return { allowed: true };
      },
    });
  }

  of(...names: RuleName[]): string[] {
    return this.broken.filter(({ rule }) => names.includes(rule)).map(({ rule, what }) => `${rule}: ${what}`);
  }

  told(user: string, event: ShardEvent): void {
    if (event.event === 'reconcile-begin') this.#begins(user, event.uid, event.object);
    if (event.event === 'reconcile-end') this.#working.get(event.uid)?.delete(user);
  }

  /** The process is gone, and works on nothing. */
  ended(user: string): void {
    for (const users of this.#working.values()) users.delete(user);
  }

  #begins(user: string, uid: string, key: string): void {
    const shard = shardOfUser(user);
    const name = key.slice(key.indexOf('/') + 1);
    this.begun.push(`${user} ${name}`);
    const users = this.#working.get(uid) ?? new Set();
    this.#working.set(uid, users);
    for (const other of users) this.#break('exclusion', `${user} and ${other} work on ${name}`);
    users.add(user);
    for (const { metadata } of this.#childrenOf(uid)) {
      if (metadata.labels?.[assigned] === shard) continue;
      this.#break(
        'sees-own',
        `${user} works on ${name}, ${metadata.name} is on ${metadata.labels?.[assigned]}`,
      );
    }
  }

  #written({ userInfo: { username }, resource, object, oldObject }: AdmissionRequest): void {
    const [from, to] = [oldObject, object].map((each) => each?.metadata.labels?.[assigned]);
    if (!object || from === to) return;
    this.history.push(`${username}: ${resource.resource}/${object.metadata.name} ${from}>${to}`);
    const owner = resource.resource === 'secrets' ? oldObject : this.#ownerOf(object);
    if (!owner) return;
    if (!this.#isLetGo(username, owner, to))
      this.#break('let-go', `${username} moves ${object.metadata.name} to ${to}`);
    if (owner !== oldObject || to === undefined) return;
    for (const user of this.#working.get(owner.metadata.uid ?? '') ?? []) {
      if (shardOfUser(user) !== to)
        this.#break('exclusion', `${owner.metadata.name} to ${to} while ${user} works on it`);
    }
    for (const { metadata } of this.#childrenOf(owner.metadata.uid)) {
      if (metadata.labels?.[assigned] === to) continue;
      this.#break(
        'order',
        `${owner.metadata.name} to ${to}, ${metadata.name} is on ${metadata.labels?.[assigned]}`,
      );
    }
  }

  /** `owner` as it is before the write. */
  #isLetGo(user: string, { metadata: { uid = '', labels } }: KubeObject, to: string | undefined): boolean {
    const shard = labels?.[assigned];
    // Brought back to its owner, or nobody's.
    if (shard === to || shard === undefined) return true;
    if (shardOfUser(user) === shard) {
      // Shards of the contract's first form remove both labels.
      const isAsked = labels?.[drain] !== undefined && [labels[drain], undefined].includes(to);
      return isAsked && !this.#working.get(uid)?.size;
    }
    const lease = this.#api.peek<Lease>(leases, { namespace: 'default', name: shard });
    return lease === undefined || holderOf(lease) !== shard;
  }

  #ownerOf(child: KubeObject): KubeObject | undefined {
    const { name = '', uid } = controllerOf(child) ?? {};
    const owner = this.#api.peek<KubeObject>(secrets, { namespace: child.metadata.namespace, name });
    return owner?.metadata.uid === uid ? owner : undefined;
  }

  #childrenOf(uid: string | undefined): KubeObject[] {
    return this.#api.all<KubeObject>(configMaps).filter((child) => controllerOf(child)?.uid === uid);
  }

  #break(rule: RuleName, what: string): void {
    this.broken.push({ rule, what });
  }
}
