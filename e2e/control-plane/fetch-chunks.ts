/** Until the answer begins: without a network the build shall begin soon. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Between two pieces of the body. */
const STALL_TIMEOUT_MS = 30_000;

export interface Chunk {
  bytes: Uint8Array;
  /** Bytes of the whole body, if known. */
  total: number | undefined;
}

/**
 * The body of a GET, piece by piece. Throws an error that names the address and the reason when there is no answer
 * within 5 s, the answer isn't 200, or the body stops coming or breaks off.
 */
export async function* fetchChunks(url: string, signal: AbortSignal | undefined): AsyncGenerator<Chunk> {
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const within = (ms: number, what: string): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error(`${what} within ${ms / 1000} s`)), ms);
  };
  try {
    within(ANSWER_TIMEOUT_MS, 'no answer');
    const answer = await fetch(url, {
      signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw new Error(`answered ${answer.status}`);
    }
    const length = Number(answer.headers.get('content-length'));
    const total = length > 0 && !answer.headers.has('content-encoding') ? length : undefined;
    within(STALL_TIMEOUT_MS, 'nothing came');
    for await (const bytes of answer.body ?? []) {
      yield { bytes, total };
      within(STALL_TIMEOUT_MS, 'nothing came');
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** fetch hides the reason ("fetch failed") in the cause. */
function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  if (!(innermost instanceof Error)) return String(innermost);
  return innermost.message || ('code' in innermost ? String(innermost.code) : innermost.name);
}
