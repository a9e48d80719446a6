import { ApiError } from '@controller-sharding/shared/kube/errors.ts';

/**
 * Calls `work` for every item, at most `concurrency` at a time. Rejects with the first error, once all have ended.
 * What the API server refuses for one item keeps no other one waiting; after any other error no more are begun.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const errors: unknown[] = [];
  let stopped = false;
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true && !stopped; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        errors.push(error);
        if (!isOfOneItem(error)) stopped = true;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (errors.length > 0) throw errors[0];
}

/** A refusal by the API server, or by somebody whom it asked; not that it is overloaded. */
const isOfOneItem = (error: unknown): boolean =>
  error instanceof ApiError && error.status < 500 && error.status !== 429;
