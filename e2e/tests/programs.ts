import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';

interface Ended {
  code: number | string | null | undefined;
  errors: string;
}

/** Runs a program of the repository to its end; its errors are what it wrote to its standard error. */
export const run = (program: string, ...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 90_000 }, (error, _output, errors) => {
      resolve({ code: error?.code ?? 0, errors });
    });
  });

/** It said what is wrong in a line or two, and no stack; what it logged before, JSON, is not looked at. */
export function assertTold({ code, errors }: Ended, expectedCode: number, what: RegExp): void {
  assert.equal(code, expectedCode, errors);
  const told = errors.split('\n').filter((line) => line !== '' && !line.startsWith('{"level":'));
  assert.match(told.join('\n'), what, errors);
  assert.ok(told.length <= 2, errors);
  assert.ok(!told.some((line) => /^\s+at /.test(line)), errors);
}

/** An address on which somebody listens until the test ends. */
export async function busyAddress(t: TestContext): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `127.0.0.1:${address.port}`;
}
