/** What the queue needs of its elements: fields for itself, by which it finds them again. */
export interface FifoNode<N> {
  /** Not to be changed while the element is inside. */
  priority: number;
  /** Set by the queue alone. */
  previous: N | undefined;
  next: N | undefined;
}

interface Level<N> {
  priority: number;
  first: N;
  last: N;
}

/**
 * Greatest priority first, and first in, first out among equals. Every operation takes constant time, and the
 * logarithm of the number of different priorities inside.
 */
export class PriorityFifo<N extends FifoNode<N>> {
  /** Those that have elements, the greatest priority last. */
  readonly #levels: Level<N>[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(node: N): void {
    this.#length += 1;
    const index = this.#indexOf(node.priority);
    const level = this.#levels[index];
    if (level?.priority !== node.priority) {
      this.#levels.splice(index, 0, { priority: node.priority, first: node, last: node });
      return;
    }
    node.previous = level.last;
    level.last.next = node;
    level.last = node;
  }

  shift(): N | undefined {
    const first = this.#levels.at(-1)?.first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Only for an element that is inside. */
  remove(node: N): void {
    this.#length -= 1;
    const { previous, next } = node;
    const index = this.#indexOf(node.priority);
    const level = this.#levels[index];
    if (previous !== undefined) previous.next = next;
    else if (level !== undefined && next !== undefined) level.first = next;
    if (next !== undefined) next.previous = previous;
    else if (level !== undefined && previous !== undefined) level.last = previous;
    if (previous === undefined && next === undefined) this.#levels.splice(index, 1);
    node.previous = undefined;
    node.next = undefined;
  }

  /** The elements are not to be used again. */
  clear(): void {
    this.#levels.length = 0;
    this.#length = 0;
  }

  /** Where the level of that priority is, or belongs. */
  #indexOf(priority: number): number {
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#levels[middle]?.priority ?? Infinity) < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
