import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const url = new URL('process.ts', import.meta.url).href;

/** Starts a program whose `main` has that body. */
function start(body: string, env: Record<string, string> = {}) {
  const source = `
    import { runProcess, UsageError } from '${url}';
    const forever = setInterval(() => {}, 1000);
    await runProcess('program', async (signal) => { ${body} });`;
  return spawn(process.execPath, ['--input-type=module', '--eval', source], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function result(child: ReturnType<typeof start>) {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, stdout, stderr };
}

const run = (body: string, env?: Record<string, string>) => result(start(body, env));

/** Ready for signals. */
const printed = (child: ReturnType<typeof start>) => once(child.stdout, 'readable');
const waitForStop = `process.stdout.write('up\\n'); await new Promise((r) => signal.addEventListener('abort', r));`;

describe('a process', { concurrency: 2 }, () => {
  test('that ends well has code 0, though something is still open, and writes all it has to say', async () => {
    const { code, stdout } = await run(`process.stdout.write('x'.repeat(1_000_000));`);
    assert.equal(code, 0);
    assert.equal(stdout.length, 1_000_000);
  });

  test('that is used wrongly says so in two lines, with code 2', async () => {
    const { code, stderr } = await run(`throw new UsageError('--port: not a number');`);
    assert.equal(code, 2);
    assert.equal(stderr, `program: --port: not a number\nRun 'program --help' for what is possible.\n`);
  });

  test('ends with the code of its error, without a stack trace', async () => {
    const { code, stderr } = await run(`throw Object.assign(new Error('Lease lost'), { exitCode: 7 });`);
    assert.deepEqual([code, stderr], [7, 'program: Lease lost\n']);
  });

  test('tells a foreseen failure in one line, with code 1', async () => {
    const { code, stderr } = await run(
      `throw Object.assign(new Error('no answer\\n  from 127.0.0.1'), { code: 'KUBE_CONNECTION' });`,
    );
    assert.deepEqual([code, stderr], [1, 'program: no answer from 127.0.0.1\n']);
  });

  test('tells an unforeseen failure as such, with its stack for those who ask', async () => {
    const body = `null.x;`;
    const plain = await run(body);
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /^program: unexpected error: TypeError: .*\n$/);
    const debug = await run(body, { DEBUG: '1' });
    assert.match(debug.stderr, /\n {4}at /);
  });

  test('ends at a rejection that nobody handled', async () => {
    const { code, stderr } = await run(
      `void Promise.reject(new Error('lost')); await new Promise(() => {});`,
    );
    assert.equal(code, 1);
    assert.match(stderr, /^program: unexpected error: Error: lost .*\n$/);
    const other = await run(`void Promise.reject('a text'); await new Promise(() => {});`);
    assert.deepEqual([other.code, other.stderr], [1, 'program: unexpected error: a text\n']);
  });

  test('stops at SIGTERM with code 0, also when its main passes the abort on', async () => {
    for (const body of [waitForStop, `${waitForStop} throw signal.reason;`]) {
      const child = start(body);
      await printed(child);
      child.kill('SIGTERM');
      const { code, stderr } = await result(child);
      assert.deepEqual([code, stderr], [0, '']);
    }
  });

  test('takes signals close together for one, and ends at once at a later one', async () => {
    const child = start(`${waitForStop} process.stdout.write('stopping'); await new Promise(() => {});`);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    await delay(600); // the window is measured on the child's real clock
    assert.equal(child.exitCode, null);
    child.kill('SIGTERM');
    assert.equal((await result(child)).code, 130);
  });

  test('stops when nobody reads its output', async () => {
    const child = start(
      `while (!signal.aborted) { process.stdout.write('x\\n'); await new Promise((r) => setTimeout(r, 5)); }`,
    );
    await printed(child);
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });
});
