/** Bytes of a page that bring the most of both: few requests, and little memory while it is read. */
const targetBytes = 4 << 20;
const first = 50;
const most = 1_000;
/** The next objects may be larger than those seen so far. */
const growth = 4;

/** How many objects to ask for in the next page of a list: few at first, then by the size of those that came. */
export class PageSize {
  #limit = first;

  get limit(): number {
    return this.#limit;
  }

  /** A page was read. */
  read(objects: number, bytes: number): void {
    const fitting = objects === 0 ? most : Math.floor((targetBytes * objects) / bytes);
    this.#limit = Math.max(1, Math.min(fitting, growth * this.#limit, most));
  }
}
