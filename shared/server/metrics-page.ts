import type { Readable } from 'node:stream';

/** What /metrics shows; prom-client's Registry is one. */
export interface MetricsPage {
  readonly contentType: string;
  /** A stream is read as fast as the reader of the answer reads. Throws UnavailableError where it can't tell now. */
  metrics(): Promise<string | Readable>;
}

/** There is no answer now, and one later: told as 503, with the message. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly code = 'UNAVAILABLE';
}
