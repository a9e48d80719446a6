import type { IncomingMessage } from 'node:http';

/** An update carries the old object and the new one, and the API server takes requests of 3 MiB. */
const mostBytes = 8 * 1024 * 1024;

/** What was sent can't be read. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code = 'BODY';
  /** Of the HTTP answer. */
  readonly status: 400 | 413;

  constructor(status: 400 | 413, message: string) {
    super(message);
    this.status = status;
  }
}

/** The body of a request. Throws BodyError: 413 as soon as it is, or is said to be, larger than 8 MiB. */
export function readJson(request: IncomingMessage): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > mostBytes) {
        request.pause();
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.once('end', () => {
      const [first] = chunks;
      const body = chunks.length === 1 && first ? first : Buffer.concat(chunks);
      try {
        resolve(JSON.parse(body.toString()));
      } catch {
        reject(new BodyError(400, 'not JSON'));
      }
    });
    request.once('error', () => reject(new BodyError(400, 'the request ended before its body did')));
  });
}

const tooLarge = (): BodyError => new BodyError(413, `more than ${mostBytes} bytes`);
