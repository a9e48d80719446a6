import { mostLevels } from '@controller-sharding/shared/sharding/controlled-trees.ts';
import type { Hash64 } from '../placement/rendezvous.ts';

/** What is known of an object of the ring. */
export interface OwnerEntry {
  /** Index of its resource. */
  resource: number;
  /** Index of the shard it is on. */
  shard: number;
  /** Its controller's node; undefined: nothing in the ring controls it. */
  controller: number | undefined;
  /** Of a main resource. */
  main: boolean;
  /** A living shard may work on it, although something controls it: it brings along what it controls itself. */
  held: boolean;
  /** It is on the move by itself. */
  moving: boolean;
}

const PARTITIONS = 256;
const CHUNK = 4_096;
/** Numbers of a node: hash (2), its controller's node or -1, shard, resource and flags. */
const FIELDS = 5;
const KNOWN = 1;
const MAIN = 2;
const HELD = 4;
const MOVING = 8;
const FLAG_BITS = 4;

/**
 * Who controls whom, and the shard of each, for a few hundred thousand objects: some thirty bytes each, and no step of
 * its growth takes long. Objects can be noted in any order. They are known by the hash of their uid; whoever acts
 * because of what is found here reads the objects again.
 */
export class OwnerTable {
  readonly #chunks: Int32Array[] = [];
  #size = 0;
  /** Hash tables (open addressing) of node + 1, each for a part of the hashes. */
  readonly #slots = Array.from({ length: PARTITIONS }, () => new Int32Array(8));
  readonly #used = new Int32Array(PARTITIONS);

  get size(): number {
    return this.#size;
  }

  /** The node of an object, made when there is none. */
  node({ high, low }: Hash64): number {
    const partition = low & (PARTITIONS - 1);
    let slots = this.#slots[partition] ?? new Int32Array(8);
    if ((this.#used[partition] ?? 0) * 4 >= slots.length * 3) {
      slots = this.#grown(slots);
      this.#slots[partition] = slots;
    }
    const slot = this.#find(slots, high, low);
    const known = slots[slot] ?? 0;
    if (known !== 0) return known - 1;
    const node = this.#size;
    if (node % CHUNK === 0) this.#chunks.push(new Int32Array(CHUNK * FIELDS));
    this.#size += 1;
    this.#set(node, 0, high);
    this.#set(node, 1, low);
    this.#set(node, 2, -1);
    slots[slot] = this.#size;
    this.#used[partition] = (this.#used[partition] ?? 0) + 1;
    return node;
  }

  note(node: number, { resource, shard, controller, main, held, moving }: OwnerEntry): void {
    const flags = KNOWN | (main ? MAIN : 0) | (held ? HELD : 0) | (moving ? MOVING : 0);
    this.#set(node, 2, controller ?? -1);
    this.#set(node, 3, shard);
    this.#set(node, 4, (resource << FLAG_BITS) | flags);
  }

  resource(node: number): number {
    return this.#get(node, 4) >> FLAG_BITS;
  }

  shard(node: number): number {
    return this.#get(node, 3);
  }

  /**
   * The shard that a controlled object should be on: that of the main object at the top of its controllers. Undefined:
   * nothing controls it, its controllers end elsewhere or nowhere, or it goes along with one that moves.
   */
  expected(node: number): number | undefined {
    let top = this.#get(node, 2);
    let level = 0;
    for (; level < mostLevels && top >= 0; level += 1) {
      const flags = this.#get(top, 4);
      if ((flags & KNOWN) === 0 || (flags & MOVING) !== 0) return undefined;
      const next = this.#get(top, 2);
      if (next < 0) break;
      top = next;
    }
    if (top < 0 || level === mostLevels || (this.#get(top, 4) & MAIN) === 0) return undefined;
    const shard = this.#get(top, 3);
    for (let above = this.#get(node, 2); above !== top; above = this.#get(above, 2)) {
      if ((this.#get(above, 4) & HELD) !== 0 && this.#get(above, 3) !== shard) return undefined;
    }
    return shard;
  }

  /** Whether an object that was noted is elsewhere than what controls it. */
  isLeftBehind(node: number): boolean {
    const flags = this.#get(node, 4);
    if ((flags & KNOWN) === 0 || (flags & MOVING) !== 0) return false;
    const expected = this.expected(node);
    return expected !== undefined && expected !== this.shard(node);
  }

  /** The slot of a hash, or the free one where it belongs. */
  #find(slots: Int32Array, high: number, low: number): number {
    const mask = slots.length - 1;
    let slot = high & mask;
    for (let known = slots[slot] ?? 0; known !== 0; known = slots[slot] ?? 0) {
      if (this.#get(known - 1, 0) === high && this.#get(known - 1, 1) === low) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grown(slots: Int32Array): Int32Array<ArrayBuffer> {
    const larger = new Int32Array(slots.length * 2);
    for (const known of slots) {
      if (known === 0) continue;
      larger[this.#find(larger, this.#get(known - 1, 0), this.#get(known - 1, 1))] = known;
    }
    return larger;
  }

  #get(node: number, field: number): number {
    return this.#chunks[Math.floor(node / CHUNK)]?.[(node % CHUNK) * FIELDS + field] ?? 0;
  }

  #set(node: number, field: number, value: number): void {
    const chunk = this.#chunks[Math.floor(node / CHUNK)];
    if (chunk) chunk[(node % CHUNK) * FIELDS + field] = value;
  }
}
