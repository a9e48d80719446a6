import { ApiError } from './errors.ts';

/** As many as client-go makes. */
const maxRetries = 10;

/**
 * How long to wait, in ms, before a request that got this error is sent again; undefined: it is not. Only an answer
 * that says when (`Retry-After`, which the API server's priority and fairness sends with 429) is worth another try.
 * With 429 and 503 the request was not executed; any other 5xx leaves the fate of a write open, so that sending it
 * again could meet its own effect: only reads are repeated then.
 */
export function retryDelayMs(method: string, error: unknown, retriesSoFar: number): number | undefined {
  if (!(error instanceof ApiError) || retriesSoFar >= maxRetries) return undefined;
  const { status, retryAfterMs } = error;
  const notExecuted = status === 429 || status === 503;
  return notExecuted || (method === 'GET' && status >= 500) ? retryAfterMs : undefined;
}
