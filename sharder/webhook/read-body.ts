import type { IncomingMessage } from 'node:http';
import { mostBytes } from './limits.ts';

/** The body of a request, once; undefined as soon as it is, or is said to be, larger than what is taken. */
export function readBody(request: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return done(undefined);
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= mostBytes) {
      chunks.push(chunk);
      return;
    }
    request.pause();
    done(undefined);
  });
  request.on('end', () => done(Buffer.concat(chunks)));
  request.on('error', () => {}); // it ended before its body did: there is nobody to answer
}
