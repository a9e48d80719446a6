import type { Clock } from '../runtime/clock.ts';
import { Slice, yieldToEventLoop } from '../runtime/event-loop.ts';
import { Latch } from '../runtime/latch.ts';
import type { Store } from './store.ts';

/**
 * Called synchronously, in the order of each object's history, after the store has changed. What a handler throws, or
 * its promise rejects with, is logged; the others are called all the same.
 */
export interface InformerHandler<T> {
  /** `isInInitialList`: it was there when the informer, or this handler, began. */
  added?(object: T, isInInitialList: boolean): void;
  updated?(old: T, now: T): void;
  /** `last`: the last known state; for a deletion seen by watch it has the resourceVersion of the deletion. */
  deleted?(last: T): void;
}

export interface HandlerRegistration {
  /** This handler was told of all objects of the first complete list that are still there. */
  readonly hasSynced: boolean;
  /** Rejects with the signal's reason when it is aborted first, and when the handler is removed. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** The handler is told nothing any more. */
  remove(): void;
}

class Registration<T> {
  readonly handler: InformerHandler<T>;
  readonly synced = new Latch();
  readonly removed = new AbortController();
  /** The keys of the objects that it knows, while it is still being told of what was there before it came. */
  told: Set<string> | undefined;

  constructor(handler: InformerHandler<T>, isLate: boolean) {
    this.handler = handler;
    if (isLate) this.told = new Set();
  }
}

/**
 * The handlers of an informer. One that comes late is told of the objects in the store, slice by slice. What happens
 * meanwhile to an object it knows, it is told at once; any other is told when its turn comes, as it then is. So
 * nothing has to be queued: all that is remembered is which keys it knows.
 */
export class InformerHandlers<T extends object> {
  readonly #store: Store<T>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown, key: string) => void;
  readonly #registrations = new Set<Registration<T>>();
  readonly #late: Registration<T>[] = [];
  #catchingUp: Promise<void> | undefined;
  #listed = false;

  constructor(store: Store<T>, clock: Clock, failed: (error: unknown, key: string) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** `running`: of the informer; undefined before it runs. */
  add(handler: InformerHandler<T>, running: AbortSignal | undefined): HandlerRegistration {
    const registration = new Registration(handler, running !== undefined);
    this.#registrations.add(registration);
    if (running) {
      this.#late.push(registration);
      this.#catchingUp ??= this.#catchUp(running);
    }
    const { synced, removed } = registration;
    return {
      get hasSynced() {
        return synced.isOpen;
      },
      waitForSync: (signal) => synced.wait(AbortSignal.any([signal, removed.signal])),
      remove: () => {
        this.#registrations.delete(registration);
        removed.abort(new Error('the handler was removed from its informer'));
      },
    };
  }

  added(key: string, object: T): void {
    for (const { handler, told } of this.#registrations) {
      if (!told) this.#guard(key, () => handler.added?.(object, !this.#listed));
    }
  }

  updated(key: string, old: T, now: T): void {
    for (const { handler, told } of this.#registrations) {
      if (!told || told.has(key)) this.#guard(key, () => handler.updated?.(old, now));
    }
  }

  deleted(key: string, last: T): void {
    for (const { handler, told } of this.#registrations) {
      if (!told || told.delete(key)) this.#guard(key, () => handler.deleted?.(last));
    }
  }

  /** The first complete list is in the store. */
  listed(): void {
    this.#listed = true;
    for (const { synced, told } of this.#registrations) if (!told) synced.open();
  }

  /** Resolves when no handler is being told of what was there before it. */
  async idle(): Promise<void> {
    await this.#catchingUp;
  }

  /** One handler after the other, so that together they take no more of the event loop than one. */
  async #catchUp(running: AbortSignal): Promise<void> {
    await yieldToEventLoop(); // the handler isn't called before whoever adds it has its registration
    const slice = new Slice(this.#clock);
    for (let next = this.#late.shift(); next; next = this.#late.shift()) {
      await this.#tellAll(next, AbortSignal.any([running, next.removed.signal]), slice);
    }
    this.#catchingUp = undefined;
  }

  async #tellAll(registration: Registration<T>, signal: AbortSignal, slice: Slice): Promise<void> {
    const { handler, synced, told } = registration;
    for (const [key, object] of this.#store.entries()) {
      if (signal.aborted) return;
      told?.add(key);
      this.#guard(key, () => handler.added?.(object, true));
      await slice.maybeYield();
    }
    registration.told = undefined;
    if (this.#listed) synced.open();
  }

  #guard(key: string, call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch((error: unknown) => this.#failed(error, key));
    } catch (error) {
      this.#failed(error, key);
    }
  }
}
