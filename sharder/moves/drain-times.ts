import type { PartialObject, Resource } from '@controller-sharding/shared/kube/types.ts';
import type { DrainWatcher } from './drains.ts';
import type { RingMoves } from './ring-moves.ts';

/** Times each move from the moment at which its drain is seen to the moment at which it is seen to have ended. */
export class DrainTimes implements DrainWatcher {
  readonly #moves: Pick<RingMoves, 'clock' | 'metrics' | 'scope'>;
  /** By uid, monotonic ms. */
  readonly #seenAt = new Map<string, number>();

  constructor(moves: Pick<RingMoves, 'clock' | 'metrics' | 'scope'>) {
    this.#moves = moves;
  }

  seen(_resource: Resource, { metadata: { uid = '' } }: PartialObject): void {
    if (!this.#seenAt.has(uid)) this.#seenAt.set(uid, this.#moves.clock.monotonic());
  }

  ended({ metadata: { uid = '' } }: PartialObject): void {
    const { clock, metrics, scope } = this.#moves;
    const seenAt = this.#seenAt.get(uid);
    if (seenAt === undefined) return;
    this.#seenAt.delete(uid);
    metrics.moveTook(scope.ring, 'living', clock.monotonic() - seenAt);
  }
}
