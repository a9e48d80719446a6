import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HarnessError } from './errors.ts';
import { freePort } from './ports.ts';
import { type ProcessOptions, startProcess } from './processes.ts';
import { isAlive, testFolder, untilGone } from './test-fixtures.ts';
import { waitFor } from './wait-for.ts';

async function shell(t: TestContext, script: string, options: Partial<ProcessOptions> = {}) {
  const folder = await testFolder(t);
  const running = await startProcess({
    name: 'test program',
    command: '/bin/sh',
    args: ['-c', script],
    logFile: join(folder, 'log'),
    cwd: folder,
    ...options,
  });
  t.after(() => running.stop('SIGKILL'));
  return running;
}

const hasCode =
  (code: string, ...words: string[]) =>
  (error: unknown) =>
    error instanceof HarnessError &&
    error.code === code &&
    words.every((word) => error.message.includes(word));

test('a line shows that a process is ready, and what it matched is given', async (t) => {
  const running = await shell(t, 'echo starting; echo listening on port 4711; exec sleep 600', {
    ready: { line: /port (\d+)/ },
  });
  assert.equal((await running.untilReady())?.[1], '4711');
});

test('a health address shows that a process is ready', async (t) => {
  const port = await freePort();
  let asked = 0;
  const server = createServer((_, answer) => answer.writeHead(++asked < 3 ? 503 : 200).end());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
  await shell(t, 'exec sleep 600', { ready: { url: `http://127.0.0.1:${port}/readyz` } });
  assert.equal(asked, 3);
});

test('a process that ends before it is ready is an error with its last words', async (t) => {
  await assert.rejects(
    shell(t, 'echo bad flag >&2; exit 2', { ready: { line: /ready/ } }),
    hasCode('START_FAILED', 'test program', 'bad flag'),
  );
});

test('a process that never gets ready is stopped', async (t) => {
  const folder = await testFolder(t);
  const start = shell(t, 'echo $$; exec sleep 600', {
    ready: { line: /ready/ },
    readyTimeoutMs: 200,
    cwd: folder,
  });
  let pid = 0;
  await assert.rejects(start, (error) => {
    pid = Number(/\n(\d+)/.exec(String(error))?.[1]);
    return hasCode('NOT_READY')(error);
  });
  assert.ok(pid > 0);
  await untilGone(pid);
});

test('stop gives a process time, and then kills it', async (t) => {
  const polite = await shell(t, 'trap "exit 7" TERM; echo up; while :; do sleep 0.01; done', {
    ready: { line: /up/ },
  });
  assert.deepEqual(await polite.stop(), { code: 7, signal: null });
  const stubborn = await shell(t, 'trap "" TERM; echo up; while :; do sleep 0.01; done', {
    ready: { line: /up/ },
  });
  assert.deepEqual(await stubborn.stop('SIGTERM', 50), { code: null, signal: 'SIGKILL' });
});

test('a paused process can be stopped', async (t) => {
  const running = await shell(t, 'exec sleep 600');
  await running.signal('SIGSTOP');
  assert.deepEqual(await running.stop(), { code: null, signal: 'SIGTERM' });
});

test('a supervised process is started again with the same environment, unless it ended well', async (t) => {
  const running = await shell(
    t,
    'n=$(ls | grep -c run); touch run-$n; echo $WORD $n; [ $n = 0 ] && exec sleep 600; exit 0',
    { restart: true, ready: { line: /hello 0/ }, env: { WORD: 'hello' } },
  );
  const first = running.pid;
  await running.signal('SIGKILL');
  await running.untilLine(/hello 1/);
  assert.notEqual(running.pid, first);
  assert.deepEqual(await running.exited, { code: 0, signal: null });
  assert.equal(running.restarts, 1);
});

test('a supervised process that was stopped stays away, also while it waits for its restart', async (t) => {
  const running = await shell(t, 'exit 1', { restart: true });
  await waitFor('the end', () => running.pid === undefined, { everyMs: 5 });
  assert.deepEqual(await running.stop(), { code: 1, signal: null });
  assert.equal(running.restarts, 0);
});

test('an abort stops a process', async (t) => {
  const abort = new AbortController();
  const running = await shell(t, 'exec sleep 600', { signal: abort.signal });
  const pid = running.pid ?? 0;
  assert.ok(isAlive(pid));
  abort.abort();
  assert.deepEqual(await running.exited, { code: null, signal: 'SIGTERM' });
});
