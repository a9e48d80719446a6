import { isNotFound } from '@controller-sharding/shared/kube/errors.ts';
import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, sharderRequestMs, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';
import { type Controlled, mostLevels } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import { type Controlling, controllerInRing, mainOf } from '../rings/ring-scope.ts';
import { isHeld } from './held-objects.ts';
import type { RingMoves } from './ring-moves.ts';

/** What stands above a controlled object. */
export type Above =
  | {
      kind: 'main';
      /** Label of its own controller. */
      controllerShard: string | undefined;
      /** Label of the main object at the top. */
      mainShard: string | undefined;
      /** One of them is on the move, or will be since a living shard holds it elsewhere: what it controls goes along. */
      moving: boolean;
    }
  /** A controller is gone, or the uppermost one is no main object. */
  | { kind: 'none' }
  /** The owner references form a circle, or go on for more levels than anybody needs. */
  | { kind: 'endless' };

/** Reads the controllers of objects up to the main object, each once: to be made anew for each wave. */
export class Controllers {
  readonly #moves: RingMoves;
  readonly #signal: AbortSignal;
  readonly #reading = new Map<string, Promise<PartialObject | undefined>>();

  constructor(moves: RingMoves, signal: AbortSignal) {
    this.#moves = moves;
    this.#signal = signal;
  }

  /** By metadata reads, one for each level. */
  async above(resource: Resource, object: PartialObject): Promise<Above> {
    const { scope } = this.#moves;
    const chain: Controlled[] = [];
    let controlling = controllerInRing(scope, resource, object);
    while (controlling !== undefined) {
      if (chain.length === mostLevels) return { kind: 'endless' };
      const controller = await this.#read(controlling, object.metadata.namespace);
      if (controller === undefined) return { kind: 'none' };
      chain.push({ resource: controlling.resource, object: controller });
      controlling = controllerInRing(scope, controlling.resource, controller);
    }
    const top = chain.at(-1);
    if (top === undefined || mainOf(scope, top.resource) === undefined) return { kind: 'none' };
    const mainShard = this.#shardOf(top.object);
    const moving = chain.some((each) => {
      const draining = each.object.metadata.labels?.[drainLabel(scope.ring)] !== undefined;
      if (each === top) return draining;
      return isHeld(this.#moves, each) && (draining || this.#shardOf(each.object) !== mainShard);
    });
    return {
      kind: 'main',
      controllerShard: chain[0] && this.#shardOf(chain[0].object),
      mainShard,
      moving,
    };
  }

  #shardOf(object: PartialObject): string | undefined {
    return object.metadata.labels?.[shardLabel(this.#moves.scope.ring)];
  }

  /** Undefined when that very one is gone. */
  #read(
    { resource, reference }: Controlling,
    namespace: string | undefined,
  ): Promise<PartialObject | undefined> {
    const reading = this.#reading.get(reference.uid) ?? this.#get(resource, reference, namespace);
    this.#reading.set(reference.uid, reading);
    return reading;
  }

  async #get(
    resource: Resource,
    { name, uid }: Controlling['reference'],
    namespace: string | undefined,
  ): Promise<PartialObject | undefined> {
    const ref = { name, ...(resource.namespaced && { namespace }) };
    try {
      const options = { signal: this.#signal, timeoutMs: sharderRequestMs };
      const found = await this.#moves.client.getMetadata(resource, ref, options);
      return found.metadata.uid === uid ? found : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
