import type { WatchEvent } from './api-client.ts';
import type { KubeObject } from './types.ts';

/**
 * What an async generator would be that yields the events of each piece, at half the cost for an event: one that has
 * come already needs a promise, and nothing else. `events` is asked for the next piece only after all events of the one
 * before were taken.
 */
export class WatchEvents<T extends KubeObject> implements AsyncGenerator<WatchEvent<T>, void, undefined> {
  readonly #pieces: AsyncGenerator<Iterator<WatchEvent<T>>, void, undefined>;
  #piece: Iterator<WatchEvent<T>> | undefined;

  constructor(pieces: AsyncGenerator<Iterator<WatchEvent<T>>, void, undefined>) {
    this.#pieces = pieces;
  }

  next(): Promise<IteratorResult<WatchEvent<T>, void>> {
    try {
      const next = this.#piece?.next();
      if (next && !next.done) return Promise.resolve(next);
    } catch (error) {
      return this.throw(error);
    }
    return this.#nextPiece();
  }

  async return(): Promise<IteratorResult<WatchEvent<T>, void>> {
    this.#piece = undefined;
    await this.#pieces.return();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<WatchEvent<T>, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #nextPiece(): Promise<IteratorResult<WatchEvent<T>, void>> {
    this.#piece = undefined;
    const pieces = await this.#pieces.next();
    if (pieces.done) return pieces;
    this.#piece = pieces.value;
    return this.next();
  }
}
