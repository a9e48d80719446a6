/** What a log line says about an error. */
export interface ErrorDescription {
  type: string;
  message: string;
  code?: string;
  status?: number;
  reason?: string;
  stack?: string;
  cause?: ErrorDescription;
}

const DEEPEST_CAUSE = 4;

/**
 * The parts of an error that are made to be read. Everything else that may hang on it (requests with their headers,
 * response bodies) stays out of the log: it can hold credentials.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const description: ErrorDescription = { type: error.name, message: error.message };
  if ('code' in error && typeof error.code === 'string') description.code = error.code;
  if ('status' in error && typeof error.status === 'number') description.status = error.status;
  if ('reason' in error && typeof error.reason === 'string') description.reason = error.reason;
  if (error.stack !== undefined) description.stack = error.stack;
  if (error.cause !== undefined && depth < DEEPEST_CAUSE) {
    description.cause = describeError(error.cause, depth + 1);
  }
  return description;
}
