import type { KubeObject } from '@controller-sharding/shared/kube/types.ts';
import { drainLabel, shardLabel } from '@controller-sharding/shared/sharding/contract.ts';

/** Counts the changes of shard and drain labels, of a ring's objects as a watch delivers them: every version of each. */
export class LabelWrites {
  readonly #labels: readonly string[];
  #lastAt = performance.now();
  count = 0;

  constructor(ring: string) {
    this.#labels = [shardLabel(ring), drainLabel(ring)];
  }

  /** Since when no label was written. */
  get quietMs(): number {
    return performance.now() - this.#lastAt;
  }

  readonly updated = (old: KubeObject, now: KubeObject): void => {
    const changed = this.#labels.some(
      (label) => old.metadata.labels?.[label] !== now.metadata.labels?.[label],
    );
    if (!changed || old.metadata.uid !== now.metadata.uid) return;
    this.count += 1;
    this.#lastAt = performance.now();
  };
}
