/** What the heap needs of its elements: a field for itself, by which it finds them again. */
export interface HeapNode {
  /** Place in the heap; set by the heap alone. */
  position: number;
}

/** Binary heap whose least element is at hand; an element inside can be removed or re-ordered in O(log n). */
export class MinHeap<T extends HeapNode> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #nodes: T[] = [];

  /** `before`: a strict order. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#nodes.length;
  }

  peek(): T | undefined {
    return this.#nodes[0];
  }

  push(node: T): void {
    this.#place(node, this.#nodes.length);
    this.#up(node);
  }

  pop(): T | undefined {
    const least = this.#nodes[0];
    if (least !== undefined) this.remove(least);
    return least;
  }

  /** Does nothing when the node isn't in the heap. */
  remove(node: T): void {
    if (this.#nodes[node.position] !== node) return;
    const last = this.#nodes.pop();
    if (last === undefined || last === node) return;
    this.#place(last, node.position);
    this.reorder(last);
  }

  /** To be called after the order of a node inside has changed. */
  reorder(node: T): void {
    this.#up(node);
    this.#down(node);
  }

  clear(): void {
    this.#nodes.length = 0;
  }

  #place(node: T, position: number): void {
    this.#nodes[position] = node;
    node.position = position;
  }

  #up(node: T): void {
    while (node.position > 0) {
      const from = node.position;
      const parent = this.#nodes[(from - 1) >> 1];
      if (parent === undefined || !this.#before(node, parent)) return;
      this.#place(node, parent.position);
      this.#place(parent, from);
    }
  }

  #down(node: T): void {
    for (;;) {
      const from = node.position;
      const left = this.#nodes[2 * from + 1];
      const right = this.#nodes[2 * from + 2];
      if (left === undefined) return;
      const least = right !== undefined && this.#before(right, left) ? right : left;
      if (!this.#before(least, node)) return;
      this.#place(node, least.position);
      this.#place(least, from);
    }
  }
}
