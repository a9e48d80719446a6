import type { ObjectTable } from '../placement/level.ts';
import type { Hash64 } from '../placement/rendezvous.ts';

/** Collects an ObjectTable of a size that is not known beforehand. */
export class ObjectTableBuilder {
  #high = new Int32Array(1_024);
  #low = new Int32Array(1_024);
  #shard = new Int32Array(1_024);
  #size = 0;

  /** `shard`: index of its shard, or -1 when the object doesn't move. */
  add(hash: Hash64, shard: number): void {
    if (this.#size === this.#shard.length) {
      this.#high = grown(this.#high);
      this.#low = grown(this.#low);
      this.#shard = grown(this.#shard);
    }
    this.#high[this.#size] = hash.high;
    this.#low[this.#size] = hash.low;
    this.#shard[this.#size] = shard;
    this.#size += 1;
  }

  build(): ObjectTable {
    return {
      high: this.#high.subarray(0, this.#size),
      low: this.#low.subarray(0, this.#size),
      shard: this.#shard.subarray(0, this.#size),
    };
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
