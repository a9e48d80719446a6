/** Reads the page once, in a thread of its own, and tells what it was. */
import { get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

export interface ReadPage {
  ms: number;
  bytes: number;
  /** Lines of Websites. */
  samples: number;
}

const begin = Buffer.from('\nkube_website_');
const startedAt = performance.now();
get({ port: Number(workerData), path: '/metrics', agent: false }, (answer) => {
  let [bytes, samples] = [0, 0];
  let rest: Buffer = Buffer.alloc(0);
  answer.on('data', (part: Buffer) => {
    bytes += part.length;
    const text = Buffer.concat([rest, part]);
    let at = text.indexOf(begin);
    let after = 0;
    while (at >= 0) {
      samples += 1;
      after = at + begin.length;
      at = text.indexOf(begin, after);
    }
    // A line's beginning may come in two parts.
    rest = text.subarray(Math.max(after, text.length - begin.length + 1));
  });
  answer.on('end', () => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
    parentPort?.postMessage({ ms: performance.now() - startedAt, bytes, samples } satisfies ReadPage);
  });
});
