import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Keeper } from './keeper-client.ts';
import { runFixture, testFolder, untilGone } from './test-fixtures.ts';
import { waitFor } from './wait-for.ts';

interface Said {
  folder: string;
  pids: number[];
  keeper: number;
}

const env = { PATH: '/usr/bin:/bin', WORD: 'hello' };

test('a kept process gets its environment, folder and log, and its end is told', async (t) => {
  const cwd = await testFolder(t);
  const logFile = join(cwd, 'log');
  const kept = await Keeper.shared().start({
    command: '/bin/sh',
    args: ['-c', 'echo $WORD; pwd >&2; exit 3'],
    env,
    cwd,
    logFile,
  });
  assert.deepEqual(await kept.exited, { code: 3, signal: null });
  assert.equal(await readFile(logFile, 'utf8'), `hello\n${cwd}\n`);
  assert.equal(await kept.signal('SIGTERM'), false);
});

test('a signal reaches the process', async (t) => {
  const cwd = await testFolder(t);
  const kept = await Keeper.shared().start({
    command: 'sleep',
    args: ['600'],
    env,
    cwd,
    logFile: join(cwd, 'log'),
  });
  assert.equal(await kept.signal('SIGTERM'), true);
  assert.deepEqual(await kept.exited, { code: null, signal: 'SIGTERM' });
});

test('a program that does not exist is an error', async (t) => {
  const cwd = await testFolder(t);
  const logFile = join(cwd, 'log');
  await assert.rejects(
    Keeper.shared().start({ command: 'no-such-program', args: [], env, cwd, logFile }),
    /ENOENT/,
  );
});

test('what a kept process leaves behind ends with it', async (t) => {
  const cwd = await testFolder(t);
  const kept = await Keeper.shared().start({
    command: '/bin/sh',
    args: ['-c', 'sleep 600 & echo $! > child'],
    env,
    cwd,
    logFile: join(cwd, 'log'),
  });
  await kept.exited;
  await untilGone(Number(await readFile(join(cwd, 'child'), 'utf8')));
});

const ends: [string, string[], ((said: Said) => number | undefined) | undefined, NodeJS.Signals][] = [
  ['is killed', [], undefined, 'SIGKILL'],
  ['is ended by Ctrl-C', [], undefined, 'SIGINT'],
  ['ends by an error', ['throw'], () => undefined, 'SIGKILL'],
  ['exits without having stopped anything', ['exit'], () => undefined, 'SIGKILL'],
  ['loses its keeper', [], ({ keeper }) => keeper, 'SIGKILL'],
];

for (const [how, args, victim, signal] of ends) {
  test(`no process and no folder is left when the parent ${how}`, async (t) => {
    const program = await runFixture<Said>(t, './keeper-fixture.ts', args);
    const { pids, folder, keeper } = program.said;
    if (!victim) program.kill(signal);
    const pid = victim?.(program.said);
    if (pid !== undefined) process.kill(pid, signal);
    await program.exited;
    await untilGone(...pids, keeper);
    await waitFor('the folder to go', () => !existsSync(folder), { everyMs: 10 });
  });
}
