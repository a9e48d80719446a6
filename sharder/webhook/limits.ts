/** An update carries the old object and the new one, and the API server takes requests of 3 MiB. */
export const mostBytes = 8 * 1024 * 1024;

/** Of connections, in ms. */
export const timeouts = {
  /** The API server keeps idle connections for 90 s: it is to be the one that ends them, since it can't repeat a call. */
  keepAliveTimeout: 120_000,
  /** For a request to arrive as a whole. */
  requestTimeout: 10_000,
  headersTimeout: 10_000,
};
