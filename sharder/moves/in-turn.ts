/**
 * Calls `work` for each item, one after the other. What one can't do keeps none of the others waiting: rejects with the
 * first error in the end; at once when the signal is aborted.
 */
export async function inTurn<T>(
  items: Iterable<T>,
  signal: AbortSignal | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (error) {
      signal?.throwIfAborted();
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
