import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Sandbox, sandbox } from './test-fixtures.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Result {
  code: number;
  output: string;
  errors: string[];
}

const run = (env: Record<string, string | undefined>, ...args: string[]): Promise<Result> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (_, output, errors) =>
      resolve({ code: child.exitCode ?? -1, output, errors: errors.trimEnd().split('\n') }),
    );
  });

test('in a log, each step is a plain line, and the paths go to standard output', async (t) => {
  const box = await sandbox(t);
  const { code, output, errors } = await run(box.env, 'etcd');
  assert.equal(code, 0);
  assert.match(output, /^etcd \/.*\/etcd\n$/);
  assert.equal(errors.length, 4);
  assert.match(errors[1] ?? '', /Download etcd .*building instead/);
  assert.match(errors[3] ?? '', /Build etcd 3.7.3 with Go: done in 0:00$/);
  assert.ok(!errors.join('').includes('\u001B['), 'no control sequences');
});

test('an unknown name is wrong usage', async (t) => {
  const { code, errors } = await run((await sandbox(t)).env, 'kube-dns');
  assert.equal(code, 2);
  assert.match(errors[0] ?? '', /unknown binary kube-dns: choose from etcd/);
  assert.ok(errors.length <= 2);
});

test('a cache that cannot be written is told in one line', async (t) => {
  const box = await sandbox(t);
  await writeFile(box.cacheHome, '');
  const { code, errors } = await run(box.env, 'etcd');
  assert.equal(code, 1);
  assert.equal(errors.length, 1);
  assert.ok(errors[0]?.includes(box.cacheHome));
});

async function startWaitingBuild(box: Sandbox): Promise<{ child: ReturnType<typeof spawn>; wait: string }> {
  const wait = join(box.folder, 'wait');
  await writeFile(wait, '');
  const child = spawn(process.execPath, [MAIN, 'kubectl'], {
    env: { ...box.env, FAKE_GO_WAIT: wait },
    stdio: 'ignore',
  });
  while ((await box.builds()).length === 0) await sleep(10);
  return { child, wait };
}

test('Ctrl-C ends a build with 130 and leaves nothing', async (t) => {
  const box = await sandbox(t);
  const { child, wait } = await startWaitingBuild(box);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
  await rm(wait);
  assert.deepEqual(await readdir(join(box.cacheHome, 'controller-sharding', 'control-plane')), []);
});

test('after a build that was killed, the next one starts afresh', async (t) => {
  const box = await sandbox(t);
  const { child, wait } = await startWaitingBuild(box);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await rm(wait);
  const folder = join(box.cacheHome, 'controller-sharding', 'control-plane');
  const minuteAgo = new Date(Date.now() - 60_000);
  await utimes(join(folder, 'lock'), minuteAgo, minuteAgo); // as if its holder had been away for that long
  assert.equal((await run(box.env, 'kubectl')).code, 0);
  assert.deepEqual(await readdir(folder), [`kubernetes-v1.37.2-${process.platform}-${process.arch}`]);
});
